-- This month so far against as much of the month before. One row; change is NULL where there is nothing to compare with.
select
  toFloat64(before_usd) as before_usd,
  if(before_usd = 0, null, toFloat64(month_usd - before_usd) / toFloat64(before_usd)) as change,
  unknown as unknown_calls
from (
  select
    sumIf(c.known_usd, bucket >= (select month from calendar)) as month_usd,
    sumIf(c.known_usd, bucket < (select last_month_so_far from calendar)) as before_usd,
    sumIf(c.calls, c.unknown and (bucket >= (select month from calendar) or bucket < (select last_month_so_far from calendar))) as unknown
  from costs as c
  where bucket >= (select last_month from calendar) and {filters})
