-- One row per day that is over and combination of dimensions: the sums of its hours, as the rollup made them last (see rollup_lag). What happened
-- since is not here: costs_between adds it.
create or replace view {db}.daily_costs (
  bucket DateTime('UTC') comment 'Start of the day, in the reporting time zone',
  tenant LowCardinality(String) comment 'Tag: whose money it is',
  team LowCardinality(String) comment 'Tag: who spends it',
  feature LowCardinality(String) comment 'Tag: what for',
  service LowCardinality(String) comment 'service.name of the resource',
  environment LowCardinality(String) comment 'Deployment environment',
  task LowCardinality(String) comment 'Tag: kind of task',
  agent LowCardinality(String) comment 'Tag: name of the agent',
  agent_step LowCardinality(String) comment 'Tag: step or node of the agent',
  provider LowCardinality(String) comment 'Provider in the price book; as delivered while the book does not know the model',
  model LowCardinality(String) comment 'Model in the price book; as delivered while the book does not know it',
  operation LowCardinality(String) comment 'gen_ai.operation.name',
  service_tier LowCardinality(String) comment 'Tier that the response names',
  completeness LowCardinality(String) comment 'priced, estimated, unpriced_model, no_usage, failed_not_billed, failed_maybe_billed or notional',
  rate_id UInt32 comment 'Rate of the price book that prices it; 0: none',
  calls UInt64 comment 'Billed calls',
  input_tokens UInt64 comment 'All input tokens, cached included',
  cache_read_tokens UInt64 comment 'Input read from the cache',
  cache_write_tokens UInt64 comment 'Input written to the cache, any time to live',
  cache_write_1h_tokens UInt64 comment 'Part of cache_write_tokens kept for an hour',
  output_tokens UInt64 comment 'All output tokens, reasoning included',
  reasoning_tokens UInt64 comment 'Part of the output that is reasoning',
  errors UInt64 comment 'Calls that ended in an error',
  attempts UInt64 comment 'HTTP attempts, silent retries of the client included',
  duration_us UInt64 comment 'Microseconds from start to end, summed',
  first_token_calls UInt64 comment 'Calls whose time to first token is known',
  first_token_us UInt64 comment 'Microseconds to first token of those, summed',
  system_chars UInt64 comment 'Characters of the system prompt',
  history_chars UInt64 comment 'Characters of earlier turns',
  user_chars UInt64 comment 'Characters of the last user message',
  tool_chars UInt64 comment 'Characters of tool results',
  retrieved_chars UInt64 comment 'Characters of retrieved context',
  tool_definition_chars UInt64 comment 'Characters of tool definitions',
  known_usd Decimal(38, 24) comment 'Exact cost of the calls whose cost is known, USD; a lower bound of the whole',
  estimate_low_usd Decimal(38, 24) comment 'Lower bound of an unknown cost, USD',
  estimate_high_usd Decimal(38, 24) comment 'Upper bound of an unknown cost, USD; NULL: there is none',
  notional_usd Decimal(38, 24) comment 'What a call of a flat subscription would have cost, USD',
  unbounded_calls UInt64 comment 'Calls whose cost has no upper bound',
  unknown LowCardinality(UInt8) comment '1: the cost of these calls is not known'
) {as_its_maker}as
select
  bucket, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id, calls, input_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, errors, attempts, duration_us, first_token_calls, first_token_us, system_chars, history_chars, user_chars, tool_chars, retrieved_chars, tool_definition_chars, known_usd, estimate_low_usd, estimate_high_usd, notional_usd, unbounded_calls,
  completeness not in ('priced', 'failed_not_billed', 'notional') as unknown
from {db}.cost_days final
where calls != 0
comment 'One row per day that is over and combination of dimensions';
