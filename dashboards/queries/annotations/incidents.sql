-- Incidents that touch the time range, from their start to their end.
select started_at as time, ifNull(resolved_at, now('UTC')) as timeEnd, concat(severity, ': ', cause) as text, severity as tags
from anomalies
where started_at <= $__toTime and ifNull(resolved_at, now('UTC')) >= $__fromTime and severity != 'info' and {anomaly_filters}
order by time desc
limit 50
