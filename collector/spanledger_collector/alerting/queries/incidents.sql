-- Incident that goes on, by severity: USD that it cost more than expected (less, where traffic was lost), since it started.
select
  incident_id as incident, class, tenant, team, feature, model, user, session,
  arrayStringConcat(arrayFilter(part -> not endsWith(part, ' '), [
    concat('tenant ', tenant), concat('team ', team), concat('feature ', feature), concat('user ', user), concat('model ', model), concat('session ', session)]), ', ') as who,
  toFloat64(abs(impact_usd)) as value
from anomalies
where status = 'open' and severity = {severity} and feedback != 'expected'
order by value desc
limit 100
