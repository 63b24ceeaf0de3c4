-- How many calls of the time range have a known cost. One row; NULL where there are none.
select if(n = 0, null, 1 - unknown / n) as known_share, unknown as unknown_calls, n as calls
from (
  select sum(c.calls) as n, sumIf(c.calls, c.unknown) as unknown
  from costs_between(since = $__fromTime, until = $__toTime) as c
  where {filters})
