-- The preset that detection runs with.
select if(count() = 0, 'balanced', any(value)) as preset from settings final where name = 'anomaly_preset'
