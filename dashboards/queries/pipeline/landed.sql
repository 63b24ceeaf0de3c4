-- Spans that landed for each second over time, by the start that they name; repeated deliveries counted again.
select $__timeInterval(Timestamp) as time, count() / $__interval_s as spans_per_second
from otel_traces
where $__timeFilter(Timestamp)
group by time
order by time
