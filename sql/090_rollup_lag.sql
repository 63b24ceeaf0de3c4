-- One row per rollup that is behind: how many of its buckets changed after they were made, and since when. Empty when all is up to date.
create or replace view {db}.rollup_lag (
  rollup_table String comment 'Table that is behind',
  buckets UInt64 comment 'How many of its buckets changed after they were made',
  behind_since DateTime64(3, 'UTC') comment 'When the first of them changed'
) as
select rollup_table, count() as buckets, min(marked_at) as behind_since
from (
  select 'cost_minutes' as rollup_table, dirty.bucket as bucket, dirty.marked as marked_at
  from (
    select toDateTime(toStartOfMinute(minute, {zone}), 'UTC') as bucket, max(marked_at) as marked from {db}.dirty_minutes
    where minute > now('UTC') - interval 1 day group by bucket) as dirty
  left join (select bucket, max(run_at) as ran from {db}.cost_minutes group by bucket) as made on dirty.bucket = made.bucket
  where dirty.marked >= made.ran
  union all
  select 'actor_minutes' as rollup_table, dirty.bucket as bucket, dirty.marked as marked_at
  from (
    select toDateTime(toStartOfMinute(minute, {zone}), 'UTC') as bucket, max(marked_at) as marked from {db}.dirty_minutes
    where minute > now('UTC') - interval 1 day group by bucket) as dirty
  left join (select bucket, max(run_at) as ran from {db}.actor_minutes group by bucket) as made on dirty.bucket = made.bucket
  where dirty.marked >= made.ran
  union all
  select 'cost_hours' as rollup_table, dirty.bucket as bucket, dirty.marked as marked_at
  from (
    select toDateTime(toStartOfHour(minute, {zone}), 'UTC') as bucket, max(marked_at) as marked from {db}.dirty_minutes
    where minute > now('UTC') - interval {calls_days} day + interval 1 day group by bucket) as dirty
  left join (select bucket, max(run_at) as ran from {db}.cost_hours group by bucket) as made on dirty.bucket = made.bucket
  where dirty.marked >= made.ran
  union all
  select 'actor_hours' as rollup_table, dirty.bucket as bucket, dirty.marked as marked_at
  from (
    select toDateTime(toStartOfHour(minute, {zone}), 'UTC') as bucket, max(marked_at) as marked from {db}.dirty_minutes
    where minute > now('UTC') - interval {calls_days} day + interval 1 day group by bucket) as dirty
  left join (select bucket, max(run_at) as ran from {db}.actor_hours group by bucket) as made on dirty.bucket = made.bucket
  where dirty.marked >= made.ran)
group by rollup_table
comment 'One row per rollup that is behind';
