-- Records the slice of the last election as judged, on a server. Only if the slice was complete before its spans were read, and these before
-- the election began, and none was replaced since; else the same slice is judged once more. The embedded collector records it itself.
create or replace materialized view {db}.elections_mv
refresh every {every} offset {second_step} depends on {db}.election{and_by_command} append to {db}.elections {as_its_maker}as
with
  (select (
    maxIf(last_success_time, view = 'election_slice') + toIntervalSecond(ceil(maxIf(last_success_duration_ms, view = 'election_slice') / 1000)),
    maxIf(last_success_time, view = 'election_spans'),
    maxIf(last_success_time, view = 'election_spans') + toIntervalSecond(ceil(maxIf(last_success_duration_ms, view = 'election_spans') / 1000)),
    maxIf(last_success_time, view = 'election'))
    from system.view_refreshes where database = '{db}') as steps
select now64(3, 'UTC') as held_at, max((due_at, trace_id)).1 as due_to, max((due_at, trace_id)).2 as trace_to, count() as traces
from {db}.election_slice
where steps.1 < steps.2 and steps.3 <= steps.4
having traces > 0;
