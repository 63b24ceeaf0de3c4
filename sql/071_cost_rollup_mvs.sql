-- for each: grain = minute, hour
-- Makes the {grain}s again that changed since they were last made, whole and in one part each, newest first. Groups first and looks the
-- rate up after: within a group all calls have one rate, because its key holds the quarter of an hour and the size band. Never alias an
-- aggregate with the name of a column of the same select: ClickHouse would group by the alias, and the price would be wrong.
create or replace materialized view {db}.cost_{grain}s_mv
refresh every {every}{by_command} append to {db}.cost_{grain}s {as_its_maker}as
with
  now64(3, 'UTC') as started,
  -- an array is evaluated once, so that all parts of the query see one set; `in (select arrayJoin(...))` prunes, `has` would not
  (select groupArray(bucket) from {db}.due_cost_{grain}s) as todo,
  (select arraySort(arrayDistinct(arrayFlatten(groupArray(above_tokens)))) from {db}.rate_segments where book = (select max(book) from {db}.price_books)) as thresholds,
  billed as (
    select ts, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, price_context, region, usage_state, quantities,
      (input_audio_tokens + cache_read_audio_tokens > 0) + 2 * (output_audio_tokens > 0) as audio,
      {db}_contract_of((select rules from {db}.rules_in_force), tenant, provider, account, model_raw, environment, service, model, toDateTime(ts, 'UTC')) as contract,
      input_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, status, attempts, end_ts, time_to_first_token_us, system_chars, history_chars, user_chars, tool_chars, retrieved_chars, tool_definition_chars
    from {db}.genai_calls final
    where toDateTime({start_of}(ts, {zone}), 'UTC') in (select arrayJoin(todo)) and verdict = 'bills'),
  grouped as (
    select
      toDateTime({start_of}(ts, {zone}), 'UTC') as bucket, toStartOfFifteenMinutes(ts) as slot, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier,
      price_context, region, contract, usage_state, audio, roundDown(greatest(input_tokens, 1) - 1, if(empty(thresholds), [0], thresholds)) as band, any(input_tokens) as of_band,
      sumForEach(quantities) as q,
      count() as sum_calls,
      sum(input_tokens) as sum_input_tokens,
      sum(cache_read_tokens) as sum_cache_read_tokens,
      sum(cache_write_tokens) as sum_cache_write_tokens,
      sum(cache_write_1h_tokens) as sum_cache_write_1h_tokens,
      sum(output_tokens) as sum_output_tokens,
      sum(reasoning_tokens) as sum_reasoning_tokens,
      sum(status = 'error') as sum_errors,
      sum(attempts) as sum_attempts,
      sum(greatest(dateDiff('microsecond', ts, end_ts), 0)) as sum_duration_us,
      sum(time_to_first_token_us != 0) as sum_first_token_calls,
      sum(time_to_first_token_us) as sum_first_token_us,
      sum(system_chars) as sum_system_chars,
      sum(history_chars) as sum_history_chars,
      sum(user_chars) as sum_user_chars,
      sum(tool_chars) as sum_tool_chars,
      sum(retrieved_chars) as sum_retrieved_chars,
      sum(tool_definition_chars) as sum_tool_definition_chars
    from billed
    group by bucket, slot, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, price_context, region, contract, usage_state, audio, band),
  in_context as (select *, toDateTime(slot, 'UTC') as priced_at, {db}_rate_of(contract, provider, model, {db}_regional_of(price_context, provider, model, region), priced_at, of_band) as context_rate_id from grouped),
  in_any as (select *, if(context_rate_id = 0 and price_context != '', {db}_rate_of(contract, provider, model, {db}_regional_of('', provider, model, region), priced_at, of_band), context_rate_id) as any_rate_id from in_context),
  stated as (select *, {db}_completeness_of(usage_state, audio, context_rate_id, any_rate_id) as completeness from in_any),
  priced as (
    select *,
      if(completeness in ('priced', 'estimated', 'notional'), any_rate_id, 0) as rate_id,
      if(rate_id = 0, toDecimal128(0, 24), {db}_cost_of(any_rate_id, q)) as amount,
      -- a tier without a price of its own: the standard price bounds it on one side at most
      completeness = 'estimated' and usage_state = 'reported' and audio = 0 as of_tier, {db}_tier_side_of(price_context) as side
    from stated)
select
  bucket, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id,
  sum(sum_calls) as calls, sum(sum_input_tokens) as input_tokens, sum(sum_cache_read_tokens) as cache_read_tokens, sum(sum_cache_write_tokens) as cache_write_tokens, sum(sum_cache_write_1h_tokens) as cache_write_1h_tokens, sum(sum_output_tokens) as output_tokens, sum(sum_reasoning_tokens) as reasoning_tokens, sum(sum_errors) as errors, sum(sum_attempts) as attempts, sum(sum_duration_us) as duration_us, sum(sum_first_token_calls) as first_token_calls, sum(sum_first_token_us) as first_token_us, sum(sum_system_chars) as system_chars, sum(sum_history_chars) as history_chars, sum(sum_user_chars) as user_chars, sum(sum_tool_chars) as tool_chars, sum(sum_retrieved_chars) as retrieved_chars, sum(sum_tool_definition_chars) as tool_definition_chars,
  sumIf(amount, completeness = 'priced') as known_usd,
  sum(low) as estimate_low_usd, sum(high) as estimate_high_usd,
  sumIf(amount, completeness = 'notional') as notional_usd,
  sum(unbounded) as unbounded_calls,
  started as run_at
from (
  select bucket, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id, usage_state, amount, sum_calls, sum_input_tokens, sum_cache_read_tokens, sum_cache_write_tokens, sum_cache_write_1h_tokens, sum_output_tokens, sum_reasoning_tokens, sum_errors, sum_attempts, sum_duration_us, sum_first_token_calls, sum_first_token_us, sum_system_chars, sum_history_chars, sum_user_chars, sum_tool_chars, sum_retrieved_chars, sum_tool_definition_chars, 
    amount * (of_tier and side = 'dearer') as low, amount * (of_tier and side = 'cheaper') as high,
    sum_calls * (of_tier and side != 'cheaper' or completeness = 'unpriced_model' and usage_state = 'reported' and audio = 0) as unbounded
  from priced
  union all
  -- what the costs of calls without whole usage lie between; these are few, and each has its own size
  select toDateTime({start_of}(ts, {zone}), 'UTC'), tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id, '', toDecimal128(0, 24), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    low_usd, ifNull(high_usd, toDecimal128(0, 24)), toUInt64(isNull(high_usd))
  from {db}.priced_calls
  where toDateTime({start_of}(ts, {zone}), 'UTC') in (select arrayJoin(todo)) and (usage_state in ('partial', 'estimated', 'unsplit', 'no_usage', 'failed_maybe_billed')
    or usage_state = 'reported' and (input_audio_tokens > 0 or cache_read_audio_tokens > 0 or output_audio_tokens > 0)) and completeness != 'priced'
  union all
  -- groups that vanished become zeros
  select bucket, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id, '', toDecimal128(0, 24), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, toDecimal128(0, 24), toDecimal128(0, 24), 0 from {db}.cost_{grain}s where bucket in (select arrayJoin(todo))
  union all
  -- a row of zeros says that the bucket was made, even when nothing in it bills
  select arrayJoin(todo), '', '', '', '', '', '', '', '', '', '', '', '', '', 0, '', toDecimal128(0, 24), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, toDecimal128(0, 24), toDecimal128(0, 24), 0)
group by bucket, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id
settings optimize_and_compare_chain = 0, query_plan_merge_expressions = 0, min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 0, max_insert_threads = 1, max_insert_block_size = 100000000, do_not_merge_across_partitions_select_final = 1, short_circuit_function_evaluation = 'disable';
