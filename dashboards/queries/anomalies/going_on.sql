-- Incidents that go on now, the dearest by the hour first.
select
  incident_id, severity, replaceAll(class, '_', ' ') as kind, cause, started_at, toFloat64(impact_usd) as impact, toFloat64(impact_usd_per_hour) as impact_per_hour,
  feedback
from anomalies
where status = 'open' and {anomaly_filters}
order by severity = 'critical' desc, severity = 'warning' desc, impact_per_hour desc, started_at desc
limit 50
