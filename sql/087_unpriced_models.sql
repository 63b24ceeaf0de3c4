-- One row per hour and model without a price: what to find a price or an alias for, by tokens.
create or replace view {db}.unpriced_models (
  hour DateTime('UTC') comment 'Start of the hour in the reporting time zone',
  provider LowCardinality(String) comment 'Provider in the price book; as delivered while the book does not know the model',
  model LowCardinality(String) comment 'Model in the price book; as delivered while the book does not know it',
  calls UInt64 comment 'Billed calls',
  input_tokens UInt64 comment 'All input tokens, cached included',
  output_tokens UInt64 comment 'All output tokens, reasoning included',
  calls_share Float64 comment 'Part of all calls of the hour, 0 to 1',
  tokens_share Float64 comment 'Part of all tokens of the hour, 0 to 1'
) as
select
  hour, provider, model, calls, input_tokens, output_tokens, calls / calls_of_hour as calls_share, if(tokens_of_hour = 0, 0, (input_tokens + output_tokens) / tokens_of_hour) as tokens_share
from (
  select
    toDateTime(toStartOfHour(bucket, {zone}), 'UTC') as hour, provider, model, completeness,
    sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens,
    sum(calls) over (partition by hour) as calls_of_hour, sum(input_tokens + output_tokens) over (partition by hour) as tokens_of_hour
  from {db}.costs as c
  group by hour, provider, model, completeness)
where completeness = 'unpriced_model'
comment 'One row per hour and model without a price';
