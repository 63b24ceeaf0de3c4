-- One row: whether what was stored says that it was later once than it is now, and by how much.
with (select greatest(
  (select max(due_to) from elections), (select max(marked_at) from dirty_minutes),
  (select max(run_at) from cost_minutes), (select max(run_at) from actor_minutes), (select max(run_at) from cost_hours), (select max(run_at) from actor_hours))) as latest
select greatest(dateDiff('millisecond', now64(3, 'UTC'), latest), 0) as ahead_ms, toString(now64(3, 'UTC')) as at, toString(latest) as latest_at
