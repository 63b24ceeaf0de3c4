-- Books every GenAI span with a provisional verdict: a call bills at once, so that numbers are fresh; a wrapper waits for the
-- election, so that nothing is counted twice.
create or replace materialized view {db}.genai_calls_mv to {db}.genai_calls {as_its_maker}as
select
  ts, end_ts, trace_id, span_id, parent_span_id, role, emitter, usage_rule, service, environment, tenant, team, feature, user, session, task, task_id,
  agent, agent_step, provider_raw, model_raw, operation, service_tier, response_id, usage_state, input_tokens, cache_read_tokens, cache_write_tokens,
  cache_write_1h_tokens, output_tokens, reasoning_tokens, input_audio_tokens, cache_read_audio_tokens, input_image_tokens, output_audio_tokens,
  output_image_tokens, web_searches, has_usage, reported_cost_usd, status, error_type, attempts, time_to_first_token_us, system_chars, history_chars,
  user_chars, tool_chars, retrieved_chars, tool_definition_chars, prompt_fingerprint, prefix_fingerprint, system_fingerprint, template_fingerprint,
  process, sequence, gateway, account, region, price_context, max_tokens,
  if(role = 'call', 'bills', 'pending') as verdict,
  multiIf(role != 'call', 'waits for the spans below it', has_usage, 'reports usage and nothing below it does', 'a call without usage that no other span covers') as reason,
  toFixedString('', 16) as winner_trace_id, toUInt64(0) as winner_span_id,
  {db}_facts_version(generation, usage_state, [
    response_id != '', service_tier != '', cache_write_1h_tokens != 0, cache_read_tokens + cache_write_tokens != 0, reasoning_tokens != 0,
    web_searches != 0, attempts > 1, time_to_first_token_us != 0, error_type != '', model_raw != '', sequence != 0], output_tokens) as version
from {db}.genai_spans
where role != 'link';
