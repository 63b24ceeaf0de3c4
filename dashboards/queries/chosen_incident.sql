-- Not a statement: the incident that {chosen_incident} stands for: the one that was chosen, else the open one with the largest impact by the
-- hour, else the latest.
(select argMax(incident_id, (status = 'open', if(status = 'open', abs(impact_usd_per_hour), toDecimal128(0, 24)), started_at))
  from anomalies where ${incident:singlequote} in ('', '*') or incident_id = ${incident:singlequote})
