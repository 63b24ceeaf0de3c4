-- Cost of the whole month if it goes on as in the last 7 days (fewer, but a day at least, where there were no calls before): the month so
-- far, plus their average for each second that is left. One row.
select
  toFloat64(month_usd) + toFloat64(week_usd) / seconds_seen * (select dateDiff('second', at, next_month) from calendar) as forecast_usd,
  unknown as unknown_calls
from (
  select
    sumIf(c.known_usd, bucket >= (select month from calendar)) as month_usd,
    sumIf(c.known_usd, bucket >= (select week_ago from calendar)) as week_usd,
    sumIf(c.calls, c.unknown) as unknown,
    greatest(86400, dateDiff('second', greatest(min(bucket), (select week_ago from calendar)), (select at from calendar))) as seconds_seen
  from costs as c
  where bucket >= (select least(month, week_ago) from calendar) and {filters})
