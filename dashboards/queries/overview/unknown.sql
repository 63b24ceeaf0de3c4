-- Calls of unknown cost over time, by the reason why it is unknown.
select time, completeness as series, sum(c.calls) as calls
from costs_in_steps(since = $__fromTime, until = $__toTime, step = $__interval_s) as c
where unknown and {filters}
group by time, series
order by time, series
