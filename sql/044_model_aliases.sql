-- One row per (provider, model) pair as telemetry spells it: what the price book calls it. A user's row beats a resolved one.
create table if not exists {db}.model_aliases (
  provider_raw LowCardinality(String) comment 'Provider as the span says',
  model_raw String comment 'Model as the span says',
  provider LowCardinality(String) comment 'Provider id of the price book',
  model LowCardinality(String) comment 'Model id of the price book; empty = looked up and not found',
  source LowCardinality(String) comment 'genai-prices (its matching rules) or user',
  source_version LowCardinality(String) comment 'Version of the source',
  rank UInt64 comment 'The higher rank wins: milliseconds when it was learned, plus 2^62 for a user''s'
) engine = {engine:ReplacingMergeTree(rank)}
order by (provider_raw, model_raw)
comment 'Names of models as telemetry spells them, resolved to the price book';
