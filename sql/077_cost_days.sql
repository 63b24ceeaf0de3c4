-- One row per day and combination of dimensions: the sums of its hours, for time ranges of many days. A day is made once it is over, again whenever
-- one of its hours was made again, and the newest run wins (FINAL). run_at is that of its newest hour, so a day is up to date when no hour of
-- it has a later one. Days begin at midnight of the reporting time zone. Sorted by time first: every question has a time range.
create table if not exists {db}.cost_days (
  bucket DateTime('UTC') comment 'Start of the day, in the reporting time zone',
  tenant LowCardinality(String) comment 'Tag',
  team LowCardinality(String) comment 'Tag',
  feature LowCardinality(String) comment 'Tag',
  service LowCardinality(String) comment 'service.name',
  environment LowCardinality(String) comment 'Deployment environment',
  task LowCardinality(String) comment 'Kind of task',
  agent LowCardinality(String) comment 'Tag',
  agent_step LowCardinality(String) comment 'Tag',
  provider LowCardinality(String) comment 'Provider in the price book',
  model LowCardinality(String) comment 'Model in the price book, or as delivered',
  operation LowCardinality(String) comment 'gen_ai.operation.name',
  service_tier LowCardinality(String) comment 'Tier of the response',
  completeness LowCardinality(String) comment 'State of the cost',
  rate_id UInt32 comment 'Rate that prices the row; 0: none',
  calls UInt64 codec(T64, LZ4) comment 'Billed calls',
  input_tokens UInt64 codec(T64, LZ4) comment 'All input',
  cache_read_tokens UInt64 codec(T64, LZ4) comment 'Input read from the cache',
  cache_write_tokens UInt64 codec(T64, LZ4) comment 'Input written to the cache',
  cache_write_1h_tokens UInt64 codec(T64, LZ4) comment 'Part of it kept for an hour',
  output_tokens UInt64 codec(T64, LZ4) comment 'All output, reasoning included',
  reasoning_tokens UInt64 codec(T64, LZ4) comment 'Part of the output',
  errors UInt64 codec(T64, LZ4) comment 'Calls that ended in an error',
  attempts UInt64 codec(T64, LZ4) comment 'HTTP attempts',
  duration_us UInt64 codec(T64, LZ4) comment 'Microseconds from start to end, summed',
  first_token_calls UInt64 codec(T64, LZ4) comment 'Calls whose time to first token is known',
  first_token_us UInt64 codec(T64, LZ4) comment 'Microseconds to first token of those, summed',
  system_chars UInt64 codec(T64, LZ4) comment 'Size of system prompts',
  history_chars UInt64 codec(T64, LZ4) comment 'Size of earlier turns',
  user_chars UInt64 codec(T64, LZ4) comment 'Size of last user messages',
  tool_chars UInt64 codec(T64, LZ4) comment 'Size of tool results',
  retrieved_chars UInt64 codec(T64, LZ4) comment 'Size of retrieved context',
  tool_definition_chars UInt64 codec(T64, LZ4) comment 'Size of tool definitions',
  known_usd Decimal(38, 24) codec(LZ4) comment 'Exact cost of the calls whose cost is known',
  estimate_low_usd Decimal(38, 24) codec(LZ4) comment 'Lower bound of the cost of the others',
  estimate_high_usd Decimal(38, 24) codec(LZ4) comment 'Upper bound of the cost of those that have one',
  notional_usd Decimal(38, 24) codec(LZ4) comment 'What calls of a flat subscription would have cost',
  unbounded_calls UInt64 codec(T64, LZ4) comment 'Calls whose cost has no upper bound',
  run_at DateTime64(3, 'UTC') comment 'Start of the run that made its newest hour'
) engine = {engine:ReplacingMergeTree(run_at)}
partition by toYYYYMM(bucket)
order by (bucket, tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, completeness, rate_id)
ttl bucket + interval {rollup_years} year
comment 'Cost per day and dimensions; read with FINAL, or through the view costs_between';
