-- Cost by a tag, dearest first.
select
  name, if(unknown > 0, '≥', '') as bound, toFloat64(usd) as known_usd, if(sum(usd) over () = 0, 0, toFloat64(usd) / toFloat64(sum(usd) over ())) as share,
  unknown as unknown_calls, n as calls, if(usd = 0 and unknown > 0, null, toFloat64(usd) / (n - unknown)) as usd_per_call, tokens_in as input_tokens, tokens_out as output_tokens
from (
  select
    if({tag} = '', '(untagged)', {tag}) as name, sum(c.known_usd) as usd, sumIf(c.calls, c.unknown) as unknown, sum(c.calls) as n,
    sum(c.input_tokens) as tokens_in, sum(c.output_tokens) as tokens_out
  from costs_between(since = $__fromTime, until = $__toTime) as c
  where {filters}
  group by {tag})
order by usd desc, n desc, name
limit 100
