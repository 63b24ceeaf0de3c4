-- 1 while ten minutes that changed were not summed since. What an insert under way may still change is no reason to wait, nor what
-- the election has not judged.
select count() > 0 as behind
from (select toStartOfTenMinutes(minute) as bucket, max(marked_at) as marked from dirty_minutes where bucket in (select bucket from due_spend_buckets) group by bucket) as dirty
left join (select bucket, max(run_at) as ran from spend_buckets group by bucket) as made on dirty.bucket = made.bucket
where dirty.marked >= made.ran
