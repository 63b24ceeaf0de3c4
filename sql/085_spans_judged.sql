-- One row per GenAI span with its verdict: why it bills, or which span bills instead.
create or replace view {db}.spans_judged (
  ts DateTime64(6, 'UTC') comment 'Start of the call',
  trace_id String comment 'Trace id',
  span_id String comment 'Span id',
  parent_span_id String comment 'Parent span id, nearest GenAI parent if known; empty: none',
  service LowCardinality(String) comment 'service.name of the resource',
  environment LowCardinality(String) comment 'Deployment environment',
  tenant LowCardinality(String) comment 'Tag: whose money it is',
  team LowCardinality(String) comment 'Tag: who spends it',
  feature LowCardinality(String) comment 'Tag: what for',
  task LowCardinality(String) comment 'Tag: kind of task',
  task_id String comment 'Tag: the one task',
  outcome Nullable(String) comment 'How the task ended; NULL: not said',
  agent LowCardinality(String) comment 'Tag: name of the agent',
  emitter LowCardinality(String) comment 'Who emitted the span',
  operation LowCardinality(String) comment 'gen_ai.operation.name',
  role LowCardinality(String) comment 'call or wrapper',
  provider_raw LowCardinality(String) comment 'Provider as delivered',
  model_raw LowCardinality(String) comment 'Model as delivered',
  model LowCardinality(String) comment 'Model in the price book; as delivered while the book does not know it',
  response_id String comment 'Id of the provider''s response; not unique with every provider',
  usage_state LowCardinality(String) comment 'How the usage is known: reported, unsplit (but for the lifetime of cache writes), partial, estimated, no_usage, failed_not_billed, failed_maybe_billed, notional',
  usage_rule LowCardinality(String) comment 'Rule of usage_rules that read the counts',
  input_tokens UInt32 comment 'All input tokens, cached included',
  output_tokens UInt32 comment 'All output tokens, reasoning included',
  duration_ms Float64 comment 'Milliseconds from start to end',
  time_to_first_token_ms Nullable(Float64) comment 'Milliseconds to the first chunk; NULL: unknown',
  verdict LowCardinality(String) comment 'bills, wrapper, covered, duplicate or pending',
  reason LowCardinality(String) comment 'Why, in words',
  winner_trace_id String comment 'Trace of the span that bills instead; empty: none',
  winner_span_id String comment 'Span that bills instead; empty: none'
) {as_its_maker}as
select
  ts, lower(hex(s.trace_id)) as trace_id, leftPad(lower(hex(s.span_id)), 16, '0') as span_id,
  if(s.parent_span_id = 0, '', leftPad(lower(hex(s.parent_span_id)), 16, '0')) as parent_span_id,
  service, environment, tenant, team, feature, task, task_id, nullIf(dictGetOrDefault('{db}.outcome_dict', 'outcome', s.task_id, ''), '') as outcome, agent, emitter, operation, role, provider_raw, model_raw, model, response_id, usage_state, usage_rule,
  input_tokens, output_tokens, dateDiff('microsecond', ts, end_ts) / 1000 as duration_ms,
  if(time_to_first_token_us = 0, null, time_to_first_token_us / 1000) as time_to_first_token_ms, verdict, reason,
  if(s.winner_span_id = 0, '', lower(hex(s.winner_trace_id))) as winner_trace_id,
  if(s.winner_span_id = 0, '', leftPad(lower(hex(s.winner_span_id)), 16, '0')) as winner_span_id
from {db}.genai_calls as s final
comment 'One row per GenAI span with its verdict';
