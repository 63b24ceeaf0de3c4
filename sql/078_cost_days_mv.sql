-- Makes the days again whose hours were made after them, oldest first, so that all days before the newest one are there: whole, some at a time,
-- from one reading of the hours. Each row bears the time of the newest hour that was read with it; a group that vanished is a row of zeros, as
-- in the hours.
create or replace materialized view {db}.cost_days_mv
refresh every {every}{by_command} append to {db}.cost_days {as_its_maker}as
with (select groupArray(bucket) from (select bucket from {db}.stale_cost_days order by bucket limit 5)) as todo
select
  day as bucket, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id,
  sum_calls as calls, sum_input_tokens as input_tokens, sum_cache_read_tokens as cache_read_tokens, sum_cache_write_tokens as cache_write_tokens, sum_cache_write_1h_tokens as cache_write_1h_tokens, sum_output_tokens as output_tokens, sum_reasoning_tokens as reasoning_tokens, sum_errors as errors, sum_attempts as attempts, sum_duration_us as duration_us, sum_first_token_calls as first_token_calls, sum_first_token_us as first_token_us, sum_system_chars as system_chars, sum_history_chars as history_chars, sum_user_chars as user_chars, sum_tool_chars as tool_chars, sum_retrieved_chars as retrieved_chars, sum_tool_definition_chars as tool_definition_chars, sum_known_usd as known_usd, sum_estimate_low_usd as estimate_low_usd, sum_estimate_high_usd as estimate_high_usd, sum_notional_usd as notional_usd, sum_unbounded_calls as unbounded_calls,
  max(ran) over (partition by day) as run_at
from (
  select
    toDateTime(toStartOfDay(h.bucket, {zone}), 'UTC') as day, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id,
    sum(h.calls) as sum_calls, sum(h.input_tokens) as sum_input_tokens, sum(h.cache_read_tokens) as sum_cache_read_tokens, sum(h.cache_write_tokens) as sum_cache_write_tokens, sum(h.cache_write_1h_tokens) as sum_cache_write_1h_tokens, sum(h.output_tokens) as sum_output_tokens, sum(h.reasoning_tokens) as sum_reasoning_tokens, sum(h.errors) as sum_errors, sum(h.attempts) as sum_attempts, sum(h.duration_us) as sum_duration_us, sum(h.first_token_calls) as sum_first_token_calls, sum(h.first_token_us) as sum_first_token_us, sum(h.system_chars) as sum_system_chars, sum(h.history_chars) as sum_history_chars, sum(h.user_chars) as sum_user_chars, sum(h.tool_chars) as sum_tool_chars, sum(h.retrieved_chars) as sum_retrieved_chars, sum(h.tool_definition_chars) as sum_tool_definition_chars, sum(h.known_usd) as sum_known_usd, sum(h.estimate_low_usd) as sum_estimate_low_usd, sum(h.estimate_high_usd) as sum_estimate_high_usd, sum(h.notional_usd) as sum_notional_usd, sum(h.unbounded_calls) as sum_unbounded_calls,
    max(h.run_at) as ran
  from {db}.cost_hours as h final
  where h.bucket in (select arrayJoin(todo) + toIntervalMinute(30 * arrayJoin(range(52)))) and day in (select arrayJoin(todo))
  group by day, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id)
settings min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 0, max_insert_threads = 1, max_insert_block_size = 100000000, do_not_merge_across_partitions_select_final = 1;
