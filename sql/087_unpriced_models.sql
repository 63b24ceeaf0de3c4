-- One row per hour and model without a price: what to find a price or an alias for, by tokens.
create or replace view {db}.unpriced_models (
  hour DateTime('UTC') comment 'Start of the hour in the reporting time zone',
  provider LowCardinality(String) comment 'Provider in the price book; as delivered while the book does not know the model',
  model LowCardinality(String) comment 'Model in the price book; as delivered while the book does not know it',
  calls UInt64 comment 'Billed calls',
  input_tokens UInt64 comment 'All input tokens, cached included',
  output_tokens UInt64 comment 'All output tokens, reasoning included'
) as
select
  toDateTime(toStartOfHour(bucket, {zone}), 'UTC') as hour, provider, model,
  sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens
from {db}.costs as c
where completeness = 'unpriced_model'
group by hour, provider, model
comment 'One row per hour and model without a price';
