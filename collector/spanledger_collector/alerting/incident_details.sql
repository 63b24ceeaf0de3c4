-- What an incident's alert tells beside its labels, and what it tells last when it is over.
select
  incident_id, status, severity, cause, started_at, expected_usd, actual_usd, impact_usd, impact_usd_per_hour, explained_by, explained_by_two, effects, calls, trace_ids,
  deploy, feedback
from anomalies
where status = 'open' or resolved_at > now('UTC') - interval 1 day
