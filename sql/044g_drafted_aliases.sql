-- One row per alias that is drafted and not in force yet: what a preview prices with. Emptied before each draft.
create table if not exists {db}.drafted_aliases (
  provider_raw LowCardinality(String) comment 'Provider as the span says',
  model_raw String comment 'Model as the span says',
  provider LowCardinality(String) comment 'Provider id of the price book',
  model LowCardinality(String) comment 'Model id of the price book; empty = looked up and not found',
  source LowCardinality(String) comment 'genai-prices (its matching rules) or user',
  source_version LowCardinality(String) comment 'Version of the source',
  rank UInt64 comment 'As in model_aliases'
) engine = {engine:MergeTree}
order by (provider_raw, model_raw)
comment 'Aliases of the draft';
