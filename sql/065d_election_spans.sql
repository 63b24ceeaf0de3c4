-- One row per span of the slice's traces, with the parent that counts. Of several deliveries of a span the one that knows most counts.
-- Replaced whole at each run.
create or replace materialized view {db}.election_spans
refresh every {every} offset {second_step}{by_command} (
  trace_id FixedString(16) comment 'Trace id', span_id UInt64 comment 'Span id as a number', parent UInt64 comment 'Parent that counts: its own, else the one that stands in for a lost one',
  parent_lost UInt8 comment 'The parent never landed', ts DateTime64(6, 'UTC') comment 'Start', end_ts DateTime64(6, 'UTC') comment 'End', role LowCardinality(String) comment 'call, wrapper or link', operation LowCardinality(String) comment 'What it does, see trace_spans',
  scope LowCardinality(String) comment 'Instrumentation scope', model LowCardinality(String) comment 'Model, by its name in the price book', model_known UInt8 comment 'The price book knows the model',
  response_key UInt64 comment 'Hash of the response id', id_unique UInt8 comment 'It cannot collide', usage UInt8 comment 'Reports token counts', usage_rank UInt8 comment 'How well: 3 reported, 2 partial, 1 estimated, 0 not',
  is_error UInt8 comment 'The call failed', input_tokens UInt32 comment 'All input', output_tokens UInt32 comment 'All output', gateway UInt8 comment 'From a gateway', known_at DateTime64(6, 'UTC') comment 'Start of a wrapper''s grace',
  version UInt64 comment 'What the delivery knows',
  tags Array(String) comment 'Inherited where empty: tenant, team, feature, user, session, task, task id, agent, agent step, environment, service',
  words Array(String) comment 'Lent where empty, see trace_spans', figures Array(UInt64) comment 'Lent where 0, see trace_spans',
  twice UInt8 comment '1: the same span came with another start, too, and that one counts; 2: it came from another tenant, whose span has the same ids'
) engine = {engine:MergeTree} order by (trace_id, span_id)
{as_its_maker}comment 'Input of the running election'
as
with
  spans as (
    select
      trace_id, span_id, ts, end_ts, parent_span_id, role, operation, scope, response_key, id_unique, has_usage, if(version = 0, has_usage * 3, usage_rank) as known_rank, is_error, input_tokens, output_tokens, gateway, known_at, version, words, figures,
      [tenant, team, feature, user, session, task, task_id, agent, agent_step, environment, service] as tags,
      dictGet('{db}.alias_dict', 'model', (provider_raw, model_raw)) as book_model, if(book_model = '', model_raw, book_model) as model
    from (
      select * from {db}.trace_spans final where trace_id in (select trace_id from {db}.election_slice)
      order by version desc limit 1 by trace_id, span_id, ts)),
  orphans as (
    select trace_id, span_id, ts, end_ts, parent_span_id from spans
    where parent_span_id = 0 or (trace_id, parent_span_id) not in (select trace_id, span_id from spans)),
  -- the innermost wrapper of the trace that contains the span in time stands in for a parent that was sampled away or never set
  adopted as (
    select o.trace_id as trace_id, o.span_id as span_id, argMax(w.span_id, (w.ts, -toUnixTimestamp64Micro(w.end_ts), w.span_id)) as stand_in
    from orphans as o
    inner join (select trace_id, span_id, ts, end_ts from spans where role = 'wrapper') as w on o.trace_id = w.trace_id
    where w.ts <= o.ts and w.end_ts >= o.end_ts
      and (w.ts < o.ts or w.end_ts > o.end_ts or w.span_id < o.span_id)
    group by trace_id, span_id)
select
  s.trace_id as trace_id, s.span_id as span_id, if(a.stand_in != 0, a.stand_in, s.parent_span_id) as parent, a.stand_in != 0 and s.parent_span_id != 0 as parent_lost,
  s.ts as ts, s.end_ts as end_ts, s.role as role, s.operation as operation, s.scope as scope, s.model as model, s.book_model != '' as model_known, s.response_key as response_key, s.id_unique as id_unique,
  s.has_usage as usage, s.known_rank as usage_rank, s.is_error as is_error, s.input_tokens as input_tokens, s.output_tokens as output_tokens, s.gateway as gateway, s.known_at as known_at,
  s.version as version, s.tags as tags, s.words as words, s.figures as figures,
  multiIf(
    row_number() over (partition by s.trace_id, s.span_id order by s.version desc, s.ts) = 1, 0,
    least(s.tags[1] != '', s.tags[1] != first_value(s.tags[1]) over (partition by s.trace_id, s.span_id order by s.tags[1] = '', s.version desc, s.ts), row_number() over (partition by s.trace_id, s.span_id, s.tags[1] order by s.version desc, s.ts) = 1), 2,
    1) as twice
from spans as s
left join adopted as a on s.trace_id = a.trace_id and s.span_id = a.span_id;
