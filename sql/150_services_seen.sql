-- One row per service of the last seven days: what landed from it and when it was last heard of.
create or replace view {db}.services_seen (
  service String comment 'Resource attribute service.name; empty: it names none',
  last_span_at DateTime64(3, 'UTC') comment 'Start of its latest span, by its own clock',
  silent_seconds Int64 comment 'Seconds since then; negative: its clock is ahead of this one',
  spans UInt64 comment 'Spans that landed, of any kind, repeated deliveries counted again',
  genai_spans UInt64 comment 'GenAI spans among them, each once'
) as
select
  service, max(at) as last_span_at, dateDiff('second', last_span_at, now64(3, 'UTC')) as silent_seconds, sum(landed) as spans,
  sum(genai) as genai_spans
from (
  select toString(ServiceName) as service, toDateTime64(max(Timestamp), 3, 'UTC') as at, count() as landed, 0 as genai
  from {db}.otel_traces
  where Timestamp > now() - interval 7 day
  group by service
  union all
  select toString(service) as service, max(toDateTime64(ts, 3, 'UTC')) as at, 0 as landed, count() as genai
  from {db}.genai_calls final
  where ts > now() - interval 7 day
  group by service)
group by service
comment 'Services of the last seven days'
