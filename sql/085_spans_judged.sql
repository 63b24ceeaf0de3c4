-- One row per GenAI span with its verdict: why it bills, or which span bills instead.
create view if not exists {db}.spans_judged as
select
  ts, lower(hex(s.trace_id)) as trace_id, leftPad(lower(hex(s.span_id)), 16, '0') as span_id,
  if(s.parent_span_id = 0, '', leftPad(lower(hex(s.parent_span_id)), 16, '0')) as parent_span_id,
  service, tenant, team, feature, agent, emitter, operation, role, provider_raw, model_raw, response_id, usage_state, usage_rule,
  input_tokens, output_tokens, verdict, reason,
  if(s.winner_span_id = 0, '', lower(hex(s.winner_trace_id))) as winner_trace_id,
  if(s.winner_span_id = 0, '', leftPad(lower(hex(s.winner_span_id)), 16, '0')) as winner_span_id
from {db}.genai_calls as s final;
