-- One row per month: what it is charged, which earlier months it adjusts, and whether it is closed. What is known is a lower bound, and cost_usd
-- is NULL while the cost of any call is unknown.
select
  s.month as month, s.n as calls, s.all_adjusted as adjustment_calls, s.all_unknown as unknown_calls, s.all_unknown_adjusted as unknown_adjustment_calls,
  s.all_booked as known_booked_usd, s.all_adjustment as known_adjustment_usd, s.all_total as known_usd,
  if(s.all_unknown > 0 or s.all_unknown_adjusted > 0, null, s.all_total) as cost_usd, s.adjusts as adjusts, s.is_closed as is_closed,
  if(s.is_closed, c.closed_at, null) as closed_at, c.closed_by as closed_by, c.note as note
from (
  select
    month, max(closed_now) as is_closed, sum(own) as n, sum(adjusted) as all_adjusted, sum(unknown) as all_unknown, sum(unknown_adjusted) as all_unknown_adjusted,
    sum(booked) as all_booked, sum(adjustment) as all_adjustment, sum(total) as all_total,
    arraySort(groupArrayIf((about, adjusted, adjustment, unknown_adjusted), about < month and (adjusted != 0 or adjustment != 0))) as adjusts
  from (
    select
      month, about, max(closed) as closed_now, sum(calls) as own, sum(adjustment_calls) as adjusted,
      sumIf(calls, cost_is_unknown) as unknown, sumIf(adjustment_calls, cost_is_unknown) as unknown_adjusted,
      sum(booked_usd) as booked, sum(adjustment_usd) as adjustment, sum(total_usd) as total
    from (select *, completeness not in ('priced', 'failed_not_billed', 'notional') as cost_is_unknown from statements)
    group by month, about)
  group by month) as s
left join closed_months as c on s.month = c.month
order by month
