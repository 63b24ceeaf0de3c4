-- One row per hour and model without a price: what to find a price or an alias for, by tokens.
create view if not exists {db}.unpriced_models as
select
  toDateTime(toStartOfHour(bucket, {zone}), 'UTC') as hour, provider, model,
  sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens
from {db}.costs as c
where completeness = 'unpriced_model'
group by hour, provider, model;
