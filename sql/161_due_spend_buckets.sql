-- One row per ten minutes that the next detection makes again: newest first, up to about a million calls, at least one: those that changed, and
-- those that were made without calls which were not judged yet. As far back as a back-test of two weeks reads, which needs nine days before it.
create or replace view {db}.due_spend_buckets (bucket DateTime('UTC') comment 'Start of the ten minutes') as
with (select groupArray(bucket) from (
  select dirty.bucket as bucket
  from (
    select toStartOfTenMinutes(minute) as bucket, max(marked_at) as marked
    from {db}.dirty_minutes
    where minute > now('UTC') - interval 30 day and minute > now('UTC') - interval {calls_days} day + interval 1 day
    group by bucket) as dirty
  left join (select bucket, max(run_at) as ran, argMaxIf(calls, run_at, part = '') as left_out from {db}.spend_buckets group by bucket) as made on dirty.bucket = made.bucket
  where dirty.marked + interval {margin} second > made.ran or made.left_out > 0
  order by bucket desc
  limit 4500)) as due
select bucket
from (
  select bucket, sum(sum_calls) over (order by bucket desc rows between unbounded preceding and current row) - sum_calls as calls_before
  from (
    select bucket, sum(calls) as sum_calls
    from (
      select arrayJoin(due) as bucket, toUInt64(0) as calls
      union all
      select toStartOfTenMinutes(ts) as bucket, toUInt64(count()) as calls
      from {db}.genai_calls
      where ts >= arrayMin(due) and toStartOfTenMinutes(ts) in (select arrayJoin(due))
      group by bucket)
    group by bucket))
where calls_before < 1000000
comment 'What the next detection of anomalies sums again';
