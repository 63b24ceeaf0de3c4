-- The dearest users of the time range.
select
  name, if(unknown > 0, '≥', '') as bound, toFloat64(usd) as known_usd, if(usd_in_all = 0, 0, toFloat64(usd) / toFloat64(usd_in_all)) as share,
  unknown as unknown_calls, n as calls, tokens_in as input_tokens, tokens_out as output_tokens
from (
  select
    if(user = '', '(untagged)', user) as name, sum(a.known_usd) as usd, sum(a.unknown_calls) as unknown, sum(a.calls) as n,
    sum(a.input_tokens) as tokens_in, sum(a.output_tokens) as tokens_out, sum(usd) over () as usd_in_all
  from actor_costs as a
  where $__timeFilter(bucket) and {actor_filters}
  group by user)
order by usd desc, n desc, name
limit 20
