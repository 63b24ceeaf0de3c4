-- How the cost of the time range is known: one row per state of cost. What is not known lies between the bounds; no upper one: NULL.
select
  completeness as state, sum(c.calls) as calls, calls / sum(calls) over () as calls_share,
  sum(c.input_tokens + c.output_tokens) as tokens, if(any(c.unknown), null, toFloat64(sum(c.known_usd))) as known_usd,
  if(any(c.unknown), toFloat64(sum(c.estimate_low_usd)), null) as low_usd,
  if(any(c.unknown) and sum(c.unbounded_calls) = 0, toFloat64(sum(c.estimate_high_usd)), null) as high_usd,
  if(state = 'notional', toFloat64(sum(c.notional_usd)), null) as notional_usd
from costs_between(since = $__fromTime, until = $__toTime) as c
where {filters}
group by state
order by calls desc
