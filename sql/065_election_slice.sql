-- One row per trace that the next election judges: the oldest in the queue, up to about 100,000 spans, so that a backlog needs no more
-- memory than a day's work; and the traces that share a response id with them (depth two is exact: a verdict depends on the own trace and
-- on those). Replaced whole at each run.
create or replace materialized view {db}.election_slice
refresh every {every}{by_command} (
  trace_id FixedString(16) comment 'Trace id', due_at DateTime64(3, 'UTC') comment 'When it was due; 1970: a rival of one that is'
) engine = {engine:MergeTree} order by trace_id
{as_its_maker}comment 'Traces of the running election'
as
with
  (select max((due_to, trace_to)) from {db}.elections) as judged_to,
  -- a trace that is due several times is judged once, at the last
  due as (
    select trace_id, max(marked_at) as due_at, sum(spans) as spans
    from {db}.election_queue
    where marked_at >= judged_to.1 and marked_at <= now64(3, 'UTC') and (marked_at, trace_id) > judged_to
    group by trace_id),
  (select groupArray((trace_id, due_at)) from (
    select trace_id, due_at, sum(spans) over (order by due_at, trace_id rows between unbounded preceding and current row) - spans as spans_before
    from due)
    where spans_before < 100000) as slice,
  (select groupUniqArray(response_key) from {db}.trace_spans where trace_id in (select arrayJoin(slice).1) and response_key != 0) as response_keys
select trace_id, max(due) as due_at
from (
  select one.1 as trace_id, one.2 as due from (select arrayJoin(slice) as one)
  union all
  -- an id that more than a thousand traces of a day mention tells nothing
  select arrayJoin(traces) as trace_id, toDateTime64(0, 3, 'UTC') as due
  from (select response_key, day, groupUniqArray(1001)(trace_id) as traces from {db}.response_spans where response_key in (select arrayJoin(response_keys)) group by response_key, day)
  where length(traces) <= 1000)
group by trace_id;
