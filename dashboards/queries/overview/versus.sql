-- This month so far against as much of the month before. One row; change is NULL where there is nothing to compare with.
select
  toFloat64(before_usd) as before_usd,
  if(before_usd = 0, null, toFloat64(month_usd - before_usd) / toFloat64(before_usd)) as change,
  unknown as unknown_calls
from (
  select
    sumIf(c.known_usd, c.this_month) as month_usd, sumIf(c.known_usd, not c.this_month) as before_usd, sumIf(c.calls, c.unknown) as unknown
  from (
    select *, 1 as this_month from costs_between(since = (select month from calendar), until = (select next_month - 1 from calendar))
    union all
    select *, 0 as this_month from costs_between(since = (select last_month from calendar), until = (select last_month_so_far - 1 from calendar))) as c
  where {filters})
