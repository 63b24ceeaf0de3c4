-- One row per rollup that is behind: how many of its buckets changed after they were made, and since when. Empty when all is up to date.
create or replace view {db}.rollup_lag (
  rollup_table String comment 'Table that is behind',
  buckets UInt64 comment 'How many of its buckets changed after they were made',
  behind_since DateTime64(3, 'UTC') comment 'When the first of them changed'
) as
select rollup_table, count() as buckets, min(changed_at) as behind_since
from (
  select 'cost_minutes' as rollup_table, marked_at as changed_at from {db}.stale_cost_minutes where marked_at >= made_at
  union all
  select 'actor_minutes' as rollup_table, marked_at as changed_at from {db}.stale_actor_minutes where marked_at >= made_at
  union all
  select 'cost_hours' as rollup_table, marked_at as changed_at from {db}.stale_cost_hours where marked_at >= made_at
  union all
  select 'actor_hours' as rollup_table, marked_at as changed_at from {db}.stale_actor_hours where marked_at >= made_at
  union all
  select 'cost_days' as rollup_table, marked_at as changed_at from {db}.stale_cost_days)
group by rollup_table
comment 'One row per rollup that is behind';
