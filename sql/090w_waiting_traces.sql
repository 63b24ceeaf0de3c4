-- One row per trace that waits for the election, because spans of it arrived or the grace of a wrapper of it ended since it was last held.
create or replace view {db}.waiting_traces (
  trace_id FixedString(16) comment 'Trace id',
  since DateTime64(3, 'UTC') comment 'Since when it waits'
) as
with (select max((due_to, trace_to)) from {db}.elections) as judged_to
select trace_id, min(marked_at) as since
from {db}.election_queue
where marked_at >= judged_to.1 and marked_at <= now64(3, 'UTC') and (marked_at, trace_id) > judged_to
group by trace_id
comment 'Traces that wait for the election';
