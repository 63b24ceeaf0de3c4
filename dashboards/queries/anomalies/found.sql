-- Incidents that began in the time range, by class, over time.
select $__timeInterval(started_at) as time, replaceAll(class, '_', ' ') as series, count() as incidents
from anomalies
where $__timeFilter(started_at) and {anomaly_filters}
group by time, series
order by time, series
