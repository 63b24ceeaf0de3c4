-- Lands the spans that can be. Where a credential says whose they are, what the sender says about it is left out;
-- values are at most a mebibyte long.
create or replace materialized view {db}.otlp_spans_mv to {db}.otel_traces {as_its_maker}as
select
  fromUnixTimestamp64Nano(toInt64(start_ns)) as Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind,
  ResourceAttributes['service.name'] as ServiceName, ResourceAttributes, ScopeName, ScopeVersion, SpanAttributes,
  if(end_ns > start_ns, end_ns - start_ns, 0) as Duration, StatusCode, StatusMessage,
  `Events.Timestamp`, `Events.Name`, `Events.Attributes`, `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, `Links.Attributes`
from (
  -- one choice for both, because each copies the attributes; of so few bytes none can be too long
  select
    least(CredentialTenant = '', byteSize(ResourceAttributes, SpanAttributes) < 1048576) as as_sent,
    * replace (
      if(as_sent, ResourceAttributes, {db}_of_tenant(CredentialTenant, {db}_cut(ResourceAttributes))) as ResourceAttributes,
      if(as_sent, SpanAttributes, {db}_without_tenant(CredentialTenant, {db}_cut(SpanAttributes))) as SpanAttributes)
  from {db}.otlp_spans
  where impossible = '');
