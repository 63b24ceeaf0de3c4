-- for each: rollup = cost_minutes, cost_hours, actor_minutes, actor_hours
-- One row per {grain} that calls were written for, as far back as {rollup} can still be made from them: when one of its calls changed last, and
-- when it was made last. The rollup makes again what changed after that; the lag is what it still has to do.
create or replace view {db}.stale_{rollup} (
  bucket DateTime('UTC') comment 'Start of the {grain}, in the reporting time zone',
  marked_at DateTime64(3, 'UTC') comment 'When one of its calls changed last',
  made_at DateTime64(3, 'UTC') comment 'When it was made last; 1970: never'
) as
select dirty.bucket as bucket, dirty.marked as marked_at, made.ran as made_at
from (
  select toDateTime({start_of}(minute, {zone}), 'UTC') as bucket, max(marked_at) as marked
  from {db}.dirty_minutes
  where minute > now('UTC') - interval {not_older} and minute > now('UTC') - interval {calls_days} day + interval 1 day
  group by bucket) as dirty
left join (select bucket, max(run_at) as ran from {db}.{rollup} group by bucket) as made on dirty.bucket = made.bucket
comment 'When the {grain}s of {rollup} changed and when they were made last';
