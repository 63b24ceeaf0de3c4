-- One row per combination of dimensions in a month: what it is charged, and which earlier months it adjusts. What is known is a lower bound, and
-- cost_usd is NULL while the cost of any call is unknown. {names} come from a fixed list.
select
  {names}, sum(n) as calls, sum(adjusted) as adjustment_calls, sum(unknown) as unknown_calls, sum(unknown_adjusted) as unknown_adjustment_calls,
  sum(booked) as known_booked_usd, sum(adjustment) as known_adjustment_usd, sum(total) as known_usd,
  if(unknown_calls > 0 or unknown_adjustment_calls > 0, null, known_usd) as cost_usd,
  arraySort(groupArrayIf((about, adjusted, adjustment, unknown_adjusted), about < {month:Date})) as adjusts, max(closed_now) as is_closed
from (
  select
    {names}, about, max(s.closed) as closed_now, sum(s.calls) as n, sum(s.adjustment_calls) as adjusted,
    sumIf(s.calls, cost_is_unknown) as unknown, sumIf(s.adjustment_calls, cost_is_unknown) as unknown_adjusted,
    sum(s.booked_usd) as booked, sum(s.adjustment_usd) as adjustment, sum(s.total_usd) as total
  from (select *, completeness not in ('priced', 'failed_not_billed', 'notional') as cost_is_unknown from statements where month = {month:Date}) as s
  group by {names}, about
  having n != 0 or adjusted != 0 or total != 0)
group by {names}
order by known_usd desc, {names}
