-- GenAI spans for each second over time, by verdict.
select $__timeInterval(ts) as time, verdict as series, count() / $__interval_s as spans_per_second
from spans_judged
where $__timeFilter(ts)
group by time, series
order by time, series
