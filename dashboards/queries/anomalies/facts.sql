-- What is known of the chosen incident, a row each.
select pair.1 as what, assumeNotNull(pair.2) as answer
from (
  select arrayJoin(arrayFilter(x -> x.2 != '', [
    ('What happened', cause),
    ('State', concat(status, ', ', severity)),
    ('Began', formatDateTime(started_at, '%F %R UTC')),
    ('Found', formatDateTime(detected_at, '%F %R UTC')),
    ('Over', ifNull(formatDateTime(resolved_at, '%F %R UTC'), 'it goes on')),
    ('Tenant', tenant), ('Team', team), ('Feature', feature), ('Model', model), ('User', user), ('Session', session),
    ('Best explained by', if(explained_by = '', '', concat(explained_by, if(isNull(explained_share), '', concat(': ', toString(round(100 * explained_share)), ' % of the change'))))),
    ('By two', explained_by_two),
    ('New shortly before', deploy),
    ('People say', feedback),
    ('Rule', replaceAll(rule, '_', ' '))])) as pair
  from anomalies
  where incident_id = {chosen_incident})
