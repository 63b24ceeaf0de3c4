-- One row per bucket and combination of dimensions: hours up to two hours ago, minutes after that. The ranges are disjoint, so sums are exact.
-- Every view and dashboard of costs reads from here.
create view if not exists {db}.costs as
with toDateTime(toStartOfHour(now('UTC') - interval 2 hour, {zone}), 'UTC') as seam
select
  bucket, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id, calls, input_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, errors, attempts, duration_us, first_token_calls, first_token_us, system_chars, history_chars, user_chars, tool_chars, retrieved_chars, tool_definition_chars, known_usd, estimate_low_usd, estimate_high_usd, notional_usd, unbounded_calls,
  completeness not in ('priced', 'failed_not_billed', 'notional') as unknown
from (
  select bucket, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id, calls, input_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, errors, attempts, duration_us, first_token_calls, first_token_us, system_chars, history_chars, user_chars, tool_chars, retrieved_chars, tool_definition_chars, known_usd, estimate_low_usd, estimate_high_usd, notional_usd, unbounded_calls from {db}.cost_hours final where bucket < seam
  union all
  select bucket, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id, calls, input_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, errors, attempts, duration_us, first_token_calls, first_token_us, system_chars, history_chars, user_chars, tool_chars, retrieved_chars, tool_definition_chars, known_usd, estimate_low_usd, estimate_high_usd, notional_usd, unbounded_calls from {db}.cost_minutes final where bucket >= seam)
where calls != 0;
