-- One row per distinct price vector of a model: what a call is explained by, what a rollup is keyed by, what an audit names.
-- Never edited: a new price is a new rate. Sorted by rate_id, because it is only ever looked up by it.
create table if not exists {db}.rates (
  rate_id UInt32 comment 'Number of the rate, from 1; 0 means: no price known',
  provider LowCardinality(String) comment 'Provider id of the price book, e.g. openai',
  model LowCardinality(String) comment 'Model id of the price book, e.g. gpt-5-mini',
  source LowCardinality(String) comment 'Where the price comes from: genai-prices or override',
  source_version LowCardinality(String) comment 'Version of the source that first had it',
  learned_at DateTime64(3, 'UTC') comment 'When this ledger first knew the rate',
  input_usd_per_token Decimal(38, 24) comment 'Uncached text input',
  cache_read_usd_per_token Decimal(38, 24) comment 'Input read from the cache',
  cache_write_5m_usd_per_token Decimal(38, 24) comment 'Input written to the cache for 5 minutes (or without a stated time)',
  cache_write_1h_usd_per_token Decimal(38, 24) comment 'Input written to the cache for an hour',
  output_usd_per_token Decimal(38, 24) comment 'Text output without reasoning',
  request_usd Decimal(38, 24) comment 'Fee per request',
  input_audio_usd_per_token Decimal(38, 24) comment 'Uncached audio input',
  cache_read_audio_usd_per_token Decimal(38, 24) comment 'Audio input read from the cache',
  input_image_usd_per_token Decimal(38, 24) comment 'Image input',
  output_reasoning_usd_per_token Decimal(38, 24) comment 'Reasoning output',
  output_audio_usd_per_token Decimal(38, 24) comment 'Audio output',
  output_image_usd_per_token Decimal(38, 24) comment 'Image output',
  web_search_usd Decimal(38, 24) comment 'One web search'
) engine = {engine:ReplacingMergeTree}
order by rate_id
comment 'Price vectors, USD per token, exact to 24 decimals; append only';
