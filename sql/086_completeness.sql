-- for each: period = of_hours, day, month
-- One row per {period} and state of cost: how much of the calls, tokens and money is known. Everything but priced, failed_not_billed and
-- notional is unknown money; it lies between estimate_low_usd and estimate_high_usd (NULL: no upper bound). So do the shares of money: a
-- state's is least where it costs what it costs at least and all others what they cost at most.
create or replace view {db}.completeness{by_period} (
  {period} {period_type} comment '{period_is}, in the reporting time zone',
  completeness LowCardinality(String) comment 'priced, estimated, unpriced_model, no_usage, failed_not_billed, failed_maybe_billed or notional',
  unknown UInt8 comment '1: the cost of these calls is not known',
  calls UInt64 comment 'Billed calls',
  silent_attempts UInt64 comment 'Attempts of these calls besides their last one, which the provider may have billed unseen; in no sum',
  input_tokens UInt64 comment 'All input tokens, cached included',
  output_tokens UInt64 comment 'All output tokens, reasoning included',
  known_usd Decimal(38, 24) comment 'Exact cost of the calls whose cost is known, USD; a lower bound of the whole',
  estimate_low_usd Decimal(38, 24) comment 'Lower bound of an unknown cost, USD',
  estimate_high_usd Nullable(Decimal(38, 24)) comment 'Upper bound of an unknown cost, USD; NULL: there is none',
  notional_usd Decimal(38, 24) comment 'What a call of a flat subscription would have cost, USD',
  calls_share Float64 comment 'Part of the {period}''s calls, 0 to 1',
  tokens_share Float64 comment 'Part of the {period}''s tokens, 0 to 1; 0 where none has any',
  usd_share_low Float64 comment 'Part of the {period}''s money at least, 0 to 1',
  usd_share_high Float64 comment 'Part of the {period}''s money at most, 0 to 1'
) as
select
  * except (usd_low, usd_high, usd_low_all, usd_high_all, unbounded_all),
  calls / sum(calls) over whole as calls_share,
  if(isNaN((input_tokens + output_tokens) / sum(input_tokens + output_tokens) over whole), 0, (input_tokens + output_tokens) / sum(input_tokens + output_tokens) over whole) as tokens_share,
  if(usd_low = 0, 0, if(unbounded_all > isNull(usd_high), 0, toFloat64(usd_low) / toFloat64(usd_low + usd_high_all - ifNull(usd_high, toDecimal128(0, 24))))) as usd_share_low,
  if(isNull(usd_high), 1, if(usd_high = 0, 0, toFloat64(assumeNotNull(usd_high)) / toFloat64(assumeNotNull(usd_high) + usd_low_all - usd_low))) as usd_share_high
from (
  select
    *, known_usd + estimate_low_usd as usd_low, known_usd + estimate_high_usd as usd_high,
    sum(usd_low) over whole as usd_low_all, sum(ifNull(usd_high, toDecimal128(0, 24))) over whole as usd_high_all, sum(isNull(usd_high)) over whole as unbounded_all
  from (
    select
      {period_start} as {period}, completeness, any(c.unknown) as unknown,
      sum(c.calls) as calls, greatest(sum(c.attempts), sum(c.calls)) - sum(c.calls) as silent_attempts, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens,
      sum(c.known_usd) as known_usd, sum(c.estimate_low_usd) as estimate_low_usd,
      if(sum(c.unbounded_calls) = 0, toNullable(sum(c.estimate_high_usd)), null) as estimate_high_usd,
      sum(c.notional_usd) as notional_usd
    from {costs} as c
    group by {period}, completeness)
  window whole as (partition by {period}))
window whole as (partition by {period})
comment 'One row per {period} and state of cost';
