-- Lands the spans that can be. Where a credential says whose they are, what the sender says about it is left out;
-- values are at most a mebibyte long.
create or replace materialized view {db}.otlp_spans_mv to {db}.otel_traces {as_its_maker}as
select
  fromUnixTimestamp64Nano(toInt64(start_ns)) as Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind,
  ResourceAttributes['service.name'] as ServiceName,
  if(CredentialTenant = '', {db}_cut(spans.ResourceAttributes), {db}_of_tenant(CredentialTenant, {db}_cut(spans.ResourceAttributes))) as ResourceAttributes,
  ScopeName, ScopeVersion,
  if(CredentialTenant = '', {db}_cut(spans.SpanAttributes), {db}_of_tenant('', {db}_cut(spans.SpanAttributes))) as SpanAttributes,
  if(end_ns > start_ns, end_ns - start_ns, 0) as Duration, StatusCode, StatusMessage,
  `Events.Timestamp`, `Events.Name`, `Events.Attributes`, `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, `Links.Attributes`
from {db}.otlp_spans as spans
where impossible = '';
