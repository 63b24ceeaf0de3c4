-- The dearest sessions of the time range.
select
  name, if(unknown > 0, '≥', '') as bound, toFloat64(usd) as known_usd, unknown as unknown_calls, n as calls, tokens_in as input_tokens,
  tokens_out as output_tokens, first_at, last_at
from (
  select
    session as name, sum(a.known_usd) as usd, sum(a.unknown_calls) as unknown, sum(a.calls) as n, sum(a.input_tokens) as tokens_in,
    sum(a.output_tokens) as tokens_out, min(bucket) as first_at, max(bucket) as last_at
  from actor_costs as a
  where $__timeFilter(bucket) and session != '' and {actor_filters}
  group by name)
order by usd desc, n desc, name
limit 20
