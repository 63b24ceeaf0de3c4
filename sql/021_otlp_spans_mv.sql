-- Lands the spans that can be.
create or replace materialized view {db}.otlp_spans_mv to {db}.otel_traces as
select
  fromUnixTimestamp64Nano(toInt64(start_ns)) as Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind,
  ResourceAttributes['service.name'] as ServiceName, ResourceAttributes, ScopeName, ScopeVersion, SpanAttributes,
  if(end_ns > start_ns, end_ns - start_ns, 0) as Duration, StatusCode, StatusMessage,
  `Events.Timestamp`, `Events.Name`, `Events.Attributes`, `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, `Links.Attributes`
from {db}.otlp_spans
where impossible = '';
