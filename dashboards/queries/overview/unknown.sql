-- Calls of unknown cost over time, by the reason why it is unknown.
select $__timeInterval(bucket) as time, completeness as series, sum(c.calls) as calls
from costs as c
where $__timeFilter(bucket) and unknown and {filters}
group by time, series
order by time, series
