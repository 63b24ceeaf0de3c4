-- What calls cost by user, session and tenant, dearest first. {dimensions} and {names} come from a fixed list.
select
  {dimensions},
  sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens, sum(c.known_usd) as known_usd,
  if(unknown_calls = 0, known_usd, null) as cost_usd,
  sum(c.unknown_calls) as unknown_calls, sum(c.unknown_tokens) as unknown_tokens,
  count() over () as rows_in_all
from actor_costs as c
where bucket >= toStartOfMinute(toDateTime({since:Int64}))
group by {names}
order by known_usd desc, calls desc, {names}
limit {limit:UInt32}
