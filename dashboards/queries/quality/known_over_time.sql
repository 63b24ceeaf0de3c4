-- Part of the calls whose cost is known, over time.
select $__timeInterval(bucket) as time, 1 - sumIf(c.calls, c.unknown) / sum(c.calls) as known_share
from costs as c
where $__timeFilter(bucket) and {filters}
group by time
order by time
