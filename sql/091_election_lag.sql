-- One row: how many traces wait for the election, because spans of them arrived or because the grace of their wrappers ended since it
-- was last held.
create or replace view {db}.election_lag (
  traces UInt64 comment 'Traces that wait'
) as
with (select coalesce(max(last_success_time), toDateTime('2000-01-01', 'UTC')) from system.view_refreshes where database = '{db}' and view = 'election') as held
select uniqExact(trace_id) as traces
from {db}.election_queue
where marked_at >= held or (marked_at >= held - interval {grace} and marked_at <= now64(3, 'UTC') - interval {grace})
comment 'One row';
