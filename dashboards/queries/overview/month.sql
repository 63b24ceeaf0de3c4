-- What this month cost so far. One row.
select toFloat64(sum(c.known_usd)) as known_usd, sumIf(c.calls, c.unknown) as unknown_calls
from costs_between(since = (select month from calendar), until = (select next_month - 1 from calendar)) as c
where {filters}
