-- What this month cost so far. One row.
select toFloat64(sum(c.known_usd)) as known_usd, sumIf(c.calls, c.unknown) as unknown_calls
from costs as c
where bucket >= (select month from calendar) and {filters}
