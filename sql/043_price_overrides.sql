-- One row per price that the owner set: it beats the list price within its time. A correction is a new row; the newest wins.
create table if not exists {db}.price_overrides (
  created_at DateTime64(3, 'UTC') comment 'When it was set; also its rank: newer beats older',
  contract LowCardinality(String) comment 'Contract it belongs to; empty = everybody',
  provider LowCardinality(String) comment 'Provider id of the price book',
  model LowCardinality(String) comment 'Model id of the price book, or a new one',
  context LowCardinality(String) comment 'As in rate_segments; empty = standard',
  valid_from DateTime('UTC') comment 'First second of validity; on a quarter of an hour',
  valid_to DateTime('UTC') comment 'First second after it',
  prices Map(LowCardinality(String), Decimal(38, 24)) comment 'Price per column of rates, USD per token; what is absent follows the parent meter (reasoning: output, cache: input)',
  note String comment 'Why',
  created_by String comment 'Who'
) engine = {engine:MergeTree}
order by (provider, model, created_at)
comment 'Prices set by the owner; append only';
