-- One row per hour and state of cost: how much of the calls, tokens and money is known. Everything but priced, failed_not_billed and
-- notional is unknown money; it lies between estimate_low_usd and estimate_high_usd (NULL: no upper bound).
create view if not exists {db}.completeness as
select
  toDateTime(toStartOfHour(bucket, {zone}), 'UTC') as hour, completeness, any(c.unknown) as unknown,
  sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens,
  sum(c.known_usd) as known_usd, sum(c.estimate_low_usd) as estimate_low_usd,
  if(sum(c.unbounded_calls) = 0, toNullable(sum(c.estimate_high_usd)), null) as estimate_high_usd,
  sum(c.notional_usd) as notional_usd
from {db}.costs as c
group by hour, completeness;
