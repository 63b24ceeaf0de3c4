-- One row per value of a currency in USD, valid until the next. Of rows for the same time the newest counts.
create table if not exists {db}.currency_rates (
  currency LowCardinality(String) comment 'ISO 4217 code, such as EUR',
  valid_from DateTime('UTC') comment 'First second of validity; on a quarter of an hour',
  usd Decimal(38, 24) comment 'What one unit is worth, USD',
  created_at DateTime64(3, 'UTC') comment 'When it was set',
  note String comment 'Where the value comes from',
  created_by String comment 'Who'
) engine = {engine:MergeTree}
order by (currency, valid_from, created_at)
comment 'Values of currencies; append only';
