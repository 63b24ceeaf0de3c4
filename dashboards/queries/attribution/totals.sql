-- Sums of the time range. One row.
select
  toFloat64(usd) as known_usd, unknown as unknown_calls, n as calls, tokens_in as input_tokens, tokens_out as output_tokens,
  if(n = 0 or (usd = 0 and unknown > 0), null, toFloat64(usd) / (n - unknown)) as usd_per_call
from (
  select sum(c.known_usd) as usd, sumIf(c.calls, c.unknown) as unknown, sum(c.calls) as n, sum(c.input_tokens) as tokens_in, sum(c.output_tokens) as tokens_out
  from costs_between(since = $__fromTime, until = $__toTime) as c
  where {filters})
