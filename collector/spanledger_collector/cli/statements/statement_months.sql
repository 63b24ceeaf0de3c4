-- One row per month: what it is charged, and whether it is closed.
select
  month, s.closed as is_closed, s.calls as calls, s.booked_usd as booked_usd, s.adjustment_usd as adjustment_usd, s.total_usd as total_usd, c.closed_at as closed_at,
  c.closed_by as closed_by, c.note as note
from (
  select month, max(closed) as closed, sum(b.calls) as calls, sum(b.booked_usd) as booked_usd, sum(b.adjustment_usd) as adjustment_usd, sum(b.total_usd) as total_usd
  from statements as b
  group by month) as s
left join closed_months as c on s.month = c.month
order by month
