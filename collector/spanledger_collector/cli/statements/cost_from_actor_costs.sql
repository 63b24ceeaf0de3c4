-- What calls cost by dimensions, dearest first (by time: newest first), beside the sums over all rows. {dimensions}, {names}, {newest} and {until} come from a fixed list.
select
  *,
  count() over () as rows_in_all, sum(calls) over () as calls_in_all, sum(input_tokens) over () as input_tokens_in_all,
  sum(output_tokens) over () as output_tokens_in_all, sum(known_usd) over () as known_usd_in_all, sum(unknown_calls) over () as unknown_calls_in_all
from (
  select
    {dimensions},
    sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens, sum(c.known_usd) as known_usd,
    if(unknown_calls = 0, known_usd, null) as cost_usd,
    sum(c.unknown_calls) as unknown_calls, sum(c.unknown_tokens) as unknown_tokens
  from actor_costs as c
  where bucket >= toStartOfMinute(toDateTime({since:Int64}, 'UTC')){until}
  group by {names})
order by {newest}known_usd desc, calls desc, {names}
limit {limit:UInt32}
