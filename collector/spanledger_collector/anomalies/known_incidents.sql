-- The incidents of the last 30 days, with what people said of them.
select i.*, f.verdict as feedback
from (select * from incidents final where updated_at >= toDateTime({now:UInt32}, 'UTC') - interval 30 day) as i
left join (select incident_id, verdict from incident_feedback final) as f on i.incident_id = f.incident_id
order by started_at desc, incident_id
