-- Incidents that touch the time range, the latest first.
select
  incident_id, status, severity, replaceAll(class, '_', ' ') as kind, cause, started_at, resolved_at, toFloat64(expected_usd) as expected,
  toFloat64(actual_usd) as actual, toFloat64(impact_usd) as impact, feedback
from anomalies
where started_at <= $__toTime and ifNull(resolved_at, now('UTC')) >= $__fromTime and {anomaly_filters}
order by started_at desc, incident_id
limit 100
