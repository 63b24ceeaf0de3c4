-- What today cost so far; a day begins at midnight of the reporting time zone. One row.
select toFloat64(sum(c.known_usd)) as known_usd, sumIf(c.calls, c.unknown) as unknown_calls
from costs as c
where bucket >= (select today from calendar) and {filters}
