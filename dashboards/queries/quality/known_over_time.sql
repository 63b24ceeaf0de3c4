-- Part of the calls whose cost is known, over time.
select time, 1 - sumIf(c.calls, c.unknown) / sum(c.calls) as known_share
from costs_in_steps(since = $__fromTime, until = $__toTime, step = $__interval_s) as c
where {filters}
group by time
order by time
