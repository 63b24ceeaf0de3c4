-- Incidents that went on since a time, open ones first, or those whose id begins so.
select *
from anomalies
where if({incident:String} = '', ifNull(resolved_at, now('UTC')) >= toDateTime({since:UInt32}, 'UTC'), startsWith(incident_id, {incident:String}))
order by status = 'open' desc, abs(impact_usd) desc, incident_id
