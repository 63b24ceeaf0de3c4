-- 1 if there is an incident of this id.
select count() > 0 as found from incidents where incident_id = {incident:String}
