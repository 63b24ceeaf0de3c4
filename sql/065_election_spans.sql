-- What the next election judges: the spans of the traces that changed since the last good one, and of the traces that share a
-- response id with them (depth two is exact: a verdict depends on the own trace and on those). Replaced whole at each run.
create or replace materialized view {db}.election_spans
refresh every {every} (
  trace_id FixedString(16) comment 'Trace id', span_id UInt64 comment 'Span id as a number', parent UInt64 comment 'Parent that counts: its own, else the one that stands in for a lost one',
  parent_lost UInt8 comment 'The parent never landed', ts DateTime64(6, 'UTC') comment 'Start', end_ts DateTime64(6, 'UTC') comment 'End', role LowCardinality(String) comment 'call, wrapper or link',
  tenant LowCardinality(String) comment 'Tag', team LowCardinality(String) comment 'Tag', feature LowCardinality(String) comment 'Tag', user String comment 'Tag', session String comment 'Tag',
  task LowCardinality(String) comment 'Tag', task_id String comment 'Tag', agent LowCardinality(String) comment 'Tag', agent_step LowCardinality(String) comment 'Tag',
  response_key UInt64 comment 'Hash of the response id', id_unique UInt8 comment 'It cannot collide', has_usage UInt8 comment 'Reports token counts',
  output_tokens UInt32 comment 'All output', gateway UInt8 comment 'From a gateway', known_at DateTime64(6, 'UTC') comment 'Start of a wrapper''s grace'
) engine = {engine:MergeTree} order by (trace_id, span_id)
comment 'Input of the running election'
as
with
  -- state-free: the last success is the start of the last good run; after a restart the whole queue is judged again
  (select coalesce(max(last_success_time), toDateTime('2000-01-01', 'UTC')) from system.view_refreshes where database = '{db}' and view = 'election') - interval {margin} second as since,
  -- arrivals, and once more the arrivals whose grace has ended since: their wrappers may bill now
  (select groupUniqArray(trace_id) from {db}.election_queue where marked_at >= since or (marked_at >= since - interval {grace} and marked_at <= now64(3, 'UTC') - interval {grace})) as changed,
  (select groupUniqArray(response_key) from {db}.trace_spans where trace_id in (select arrayJoin(changed)) and response_key != 0 and has_usage) as response_keys,
  (select groupUniqArray(trace) from (
    select arrayJoin(changed) as trace
    union all
    select trace_id as trace from {db}.response_spans where response_key in (select arrayJoin(response_keys)))) as todo,
  spans as (select * from {db}.trace_spans final where trace_id in (select arrayJoin(todo))),
  orphans as (
    select trace_id, span_id, ts, end_ts from spans
    where parent_span_id != 0 and (trace_id, parent_span_id) not in (select trace_id, span_id from spans)),
  -- the innermost wrapper of the trace that contains the span in time stands in for a parent that was sampled away
  adopted as (
    select o.trace_id as trace_id, o.span_id as span_id, argMax(w.span_id, (w.ts, w.span_id)) as stand_in
    from orphans as o
    inner join (select trace_id, span_id, ts, end_ts from spans where role = 'wrapper') as w on o.trace_id = w.trace_id
    where w.span_id != o.span_id and w.ts <= o.ts and w.end_ts >= o.end_ts
    group by trace_id, span_id)
select
  s.trace_id as trace_id, s.span_id as span_id, if(a.stand_in != 0, a.stand_in, s.parent_span_id) as parent, a.stand_in != 0 as parent_lost,
  s.ts as ts, s.end_ts as end_ts, s.role as role, s.tenant as tenant, s.team as team, s.feature as feature, s.user as user, s.session as session, s.task as task, s.task_id as task_id, s.agent as agent, s.agent_step as agent_step,
  s.response_key as response_key, s.id_unique as id_unique, s.has_usage as has_usage, s.output_tokens as output_tokens, s.gateway as gateway, s.known_at as known_at
from spans as s
left join adopted as a on s.trace_id = a.trace_id and s.span_id = a.span_id;
