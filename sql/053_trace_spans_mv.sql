-- Feeds the election's index.
create or replace materialized view {db}.trace_spans_mv to {db}.trace_spans {as_its_maker}as
select
  trace_id, span_id, ts, end_ts, if(parent_span_id = span_id, 0, parent_span_id) as parent_span_id, role, tenant, team, feature, user, session, task, task_id, agent, agent_step,
  if(response_id = '', 0, cityHash64(response_id)) as response_key, length(response_id) >= 24 as id_unique, has_usage, output_tokens, gateway,
  least(end_ts, now64(6, 'UTC')) as known_at,
  {db}_facts_version(generation, usage_state, [
    response_id != '', service_tier != '', cache_write_1h_tokens != 0, cache_read_tokens + cache_write_tokens != 0, reasoning_tokens != 0,
    web_searches != 0, attempts > 1, time_to_first_token_us != 0, error_type != '', model_raw != '', sequence != 0], output_tokens) as version,
  scope, has_usage * transform(usage_state, ['reported', 'notional', 'unsplit', 'partial', 'estimated'], [3, 3, 2, 2, 1], 0) as usage_rank, status = 'error' as is_error,
  provider_raw, model_raw, input_tokens, service, environment,
  if(role = 'call', [response_id, service_tier, toString(price_context), account, region, error_type], []) as words,
  if(role = 'call', [toUInt64(attempts - 1), time_to_first_token_us, cache_write_1h_tokens, system_chars, history_chars, user_chars, tool_chars, retrieved_chars, tool_definition_chars, prompt_fingerprint, prefix_fingerprint, system_fingerprint, template_fingerprint], []) as figures,
  operation
from {db}.genai_spans;
