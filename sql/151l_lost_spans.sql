-- One row per process of the last hour whose numbered GenAI spans did not all arrive. The SDK numbers them at their start; what began in
-- the last 15 minutes may still be under way.
create or replace view {db}.lost_spans (
  service String comment 'Resource attribute service.name',
  process String comment 'service.instance.id of the process',
  first_sequence UInt32 comment 'Lowest number that arrived',
  last_sequence UInt32 comment 'Highest number that arrived',
  missing UInt64 comment 'Numbers in between that did not arrive',
  last_span_at DateTime64(3, 'UTC') comment 'Start of the latest of these spans'
) as
select service, process, min(sequence) as first_sequence, max(sequence) as last_sequence, last_sequence - first_sequence + 1 - uniqExact(sequence) as missing, max(ts) as last_span_at
from (
  select toString(g.service) as service, toString(g.process) as process, g.sequence, toDateTime64(g.ts, 3, 'UTC') as ts
  from {db}.genai_calls as g
  where g.ts > now('UTC') - interval 75 minute and g.ts <= now('UTC') - interval 15 minute and g.sequence != 0)
group by service, process
having missing != 0
comment 'Processes whose spans did not all arrive'
