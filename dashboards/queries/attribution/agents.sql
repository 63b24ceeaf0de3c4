-- Cost by agent and step, dearest first.
select
  of_agent, of_step, if(unknown > 0, '≥', '') as bound, toFloat64(usd) as known_usd, unknown as unknown_calls, n as calls,
  if(usd = 0 and unknown > 0, null, toFloat64(usd) / (n - unknown)) as usd_per_call, tokens_in as input_tokens, tokens_out as output_tokens
from (
  select
    agent as of_agent, if(agent_step = '', '(no step)', agent_step) as of_step, sum(c.known_usd) as usd, sumIf(c.calls, c.unknown) as unknown,
    sum(c.calls) as n, sum(c.input_tokens) as tokens_in, sum(c.output_tokens) as tokens_out
  from costs_between(since = $__fromTime, until = $__toTime) as c
  where agent != '' and {filters}
  group by of_agent, of_step)
order by usd desc, n desc, of_agent, of_step
limit 50
