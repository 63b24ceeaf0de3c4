-- One row per hour and state of cost: how much of the calls, tokens and money is known. Everything but priced, failed_not_billed and
-- notional is unknown money; it lies between estimate_low_usd and estimate_high_usd (NULL: no upper bound).
create or replace view {db}.completeness (
  hour DateTime('UTC') comment 'Start of the hour in the reporting time zone',
  completeness LowCardinality(String) comment 'priced, estimated, unpriced_model, no_usage, failed_not_billed, failed_maybe_billed or notional',
  unknown UInt8 comment '1: the cost of these calls is not known',
  calls UInt64 comment 'Billed calls',
  silent_attempts UInt64 comment 'Attempts of these calls besides their last one, which the provider may have billed unseen; in no sum',
  input_tokens UInt64 comment 'All input tokens, cached included',
  output_tokens UInt64 comment 'All output tokens, reasoning included',
  known_usd Decimal(38, 24) comment 'Exact cost of the calls whose cost is known, USD; a lower bound of the whole',
  estimate_low_usd Decimal(38, 24) comment 'Lower bound of an unknown cost, USD',
  estimate_high_usd Nullable(Decimal(38, 24)) comment 'Upper bound of an unknown cost, USD; NULL: there is none',
  notional_usd Decimal(38, 24) comment 'What a call of a flat subscription would have cost, USD'
) as
select
  toDateTime(toStartOfHour(bucket, {zone}), 'UTC') as hour, completeness, any(c.unknown) as unknown,
  sum(c.calls) as calls, greatest(sum(c.attempts), sum(c.calls)) - sum(c.calls) as silent_attempts, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens,
  sum(c.known_usd) as known_usd, sum(c.estimate_low_usd) as estimate_low_usd,
  if(sum(c.unbounded_calls) = 0, toNullable(sum(c.estimate_high_usd)), null) as estimate_high_usd,
  sum(c.notional_usd) as notional_usd
from {db}.costs as c
group by hour, completeness
comment 'One row per hour and state of cost';
