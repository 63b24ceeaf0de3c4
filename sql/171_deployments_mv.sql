-- Every landed span says which version of its service made it, and some say which version of a prompt.
create or replace materialized view {db}.deployments_mv to {db}.deployments {as_its_maker}as
select ServiceName as service, pair.1 as what, pair.2 as version, toDateTime(min(Timestamp), 'UTC') as first_seen
from {db}.otel_traces
array join [
  ('version', ResourceAttributes['service.version']),
  ('prompt', if(SpanAttributes['gen_ai.prompt.version'] = '', '', trimLeft(concat(SpanAttributes['gen_ai.prompt.name'], ' ', SpanAttributes['gen_ai.prompt.version']))))] as pair
where pair.2 != ''
group by service, what, version;
