-- One row per billed call, for people and programs: ids in hex, times in milliseconds, money in USD; NULL where the cost is not known.
create view if not exists {db}.calls as
select
  ts, lower(hex(c.trace_id)) as trace_id, leftPad(lower(hex(c.span_id)), 16, '0') as span_id, response_id, service, environment,
  tenant, team, feature, user, session, task, nullIf(dictGetOrDefault('{db}.outcome_dict', 'outcome', c.task_id, ''), '') as outcome, agent, agent_step, provider, model, model_raw, operation, service_tier,
  input_tokens, uncached_input_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens,
  multiIf(completeness = 'priced', toNullable(amount_usd), completeness in ('failed_not_billed', 'notional'), toNullable(toDecimal128(0, 24)), null) as cost_usd,
  rate_id,
  multiIf(completeness = 'estimated', toNullable(amount_usd), completeness in ('priced', 'failed_not_billed', 'notional'), null, toNullable(toDecimal128(0, 24))) as estimate_low_usd,
  if(completeness = 'estimated' and usage_state = 'reported', toNullable(amount_usd), null) as estimate_high_usd,
  if(completeness = 'notional' and rate_id != 0, toNullable(amount_usd), null) as notional_usd,
  completeness, status, error_type, attempts,
  dateDiff('microsecond', ts, end_ts) / 1000 as duration_ms, if(time_to_first_token_us = 0, null, time_to_first_token_us / 1000) as time_to_first_token_ms,
  emitter, usage_rule,
  system_chars, history_chars, user_chars, tool_chars, retrieved_chars, tool_definition_chars,
  if(c.prompt_fingerprint = 0, '', leftPad(lower(hex(c.prompt_fingerprint)), 16, '0')) as prompt_fingerprint,
  if(c.prefix_fingerprint = 0, '', leftPad(lower(hex(c.prefix_fingerprint)), 16, '0')) as prefix_fingerprint,
  if(c.system_fingerprint = 0, '', leftPad(lower(hex(c.system_fingerprint)), 16, '0')) as system_fingerprint,
  if(c.template_fingerprint = 0, '', leftPad(lower(hex(c.template_fingerprint)), 16, '0')) as template_fingerprint,
  task_id, reported_cost_usd
from {db}.priced_calls as c;
