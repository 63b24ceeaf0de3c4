-- One row per combination of dimensions in a month: what it is charged. {names} come from a fixed list.
select
  {names}, sum(s.calls) as calls, sumIf(s.calls + s.adjustment_calls, completeness not in ('priced', 'failed_not_billed', 'notional')) as unknown_calls,
  sum(s.booked_usd) as booked_usd, sum(s.adjustment_usd) as adjustment_usd, sum(s.total_usd) as total_usd, max(closed) as is_closed
from statements as s
where month = {month:Date}
group by {names}
having sum(s.calls) != 0 or sum(s.adjustment_calls) != 0 or sum(s.total_usd) != 0
order by total_usd desc, {names}
