-- Sums of the time range. One row; shares are NULL where there are no calls.
select
  n as calls, toFloat64(usd) as known_usd, unknown as unknown_calls, if(n = 0 or (usd = 0 and unknown > 0), null, toFloat64(usd) / (n - unknown)) as usd_per_call,
  if(n = 0, null, failed / n) as error_share, if(n = 0, null, (greatest(tries, n) - n) / n) as retries_per_call,
  if(tokens_in = 0, null, cached / tokens_in) as cached_share
from (
  select
    sum(c.calls) as n, sum(c.known_usd) as usd, sumIf(c.calls, c.unknown) as unknown, sum(c.errors) as failed, sum(c.attempts) as tries,
    sum(c.input_tokens) as tokens_in, sum(c.cache_read_tokens) as cached
  from costs_between(since = $__fromTime, until = $__toTime) as c
  where {filters})
