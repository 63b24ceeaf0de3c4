-- What the chosen incident's impact is made of, by driver; the parts sum to it.
select pair.1 as name, toFloat64(pair.2) as effect
from (select arrayJoin(arrayZip(mapKeys(effects), mapValues(effects))) as pair from anomalies where incident_id = {chosen_incident})
where effect != 0
order by effect desc
