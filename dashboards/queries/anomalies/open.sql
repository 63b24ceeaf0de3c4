-- Incidents that go on now. One row.
select
  countIf(severity = 'critical') as critical, countIf(severity = 'warning') as warnings, countIf(severity = 'info') as infos,
  toFloat64(max(impact_usd_per_hour)) as dearest_usd_per_hour
from anomalies
where status = 'open' and {anomaly_filters}
