-- What the chosen incident cost. One row, none without incidents.
select
  toFloat64(impact_usd) as impact, toFloat64(impact_usd_per_hour) as impact_per_hour, toFloat64(expected_usd) as expected, toFloat64(actual_usd) as actual, calls
from anomalies
where incident_id = {chosen_incident}
