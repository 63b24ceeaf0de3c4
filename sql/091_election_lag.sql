-- One row: how many traces wait for the election, because spans of them arrived or because the grace of their wrappers ended since it
-- was last held.
create or replace view {db}.election_lag (
  traces UInt64 comment 'Traces that wait',
  behind_since Nullable(DateTime64(3, 'UTC')) comment 'Since when the first of them waits; NULL: none does'
) as
with (select max((due_to, trace_to)) from {db}.elections) as judged_to
select uniqExact(trace_id) as traces, minOrNull(marked_at) as behind_since
from {db}.election_queue
where marked_at >= judged_to.1 and marked_at <= now64(3, 'UTC') and (marked_at, trace_id) > judged_to
comment 'One row';
