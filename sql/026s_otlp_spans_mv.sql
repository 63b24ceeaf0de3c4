-- Lands the spans that can be. Where a credential says whose they are, what the sender says about it is left out;
-- values are at most a mebibyte long.
create or replace materialized view {db}.otlp_spans_mv to {db}.otel_traces {as_its_maker}as
select
  fromUnixTimestamp64Nano(toInt64(start_ns)) as Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind,
  ResourceAttributes['service.name'] as ServiceName, ResourceAttributes, ScopeName, ScopeVersion, SpanAttributes,
  if(end_ns > start_ns, end_ns - start_ns, 0) as Duration, StatusCode, StatusMessage,
  `Events.Timestamp`, `Events.Name`, `Events.Attributes`, `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, `Links.Attributes`
from (
  -- in stages, because the engine analyses a name at each use and a column only once, at every insert
  select * replace (
    if(CredentialTenant = '', ResourceAttributes, {db}_of_tenant(CredentialTenant, ResourceAttributes)) as ResourceAttributes,
    if(CredentialTenant = '', SpanAttributes, {db}_of_tenant('', SpanAttributes)) as SpanAttributes)
  from (
    select * replace ({db}_cut(ResourceAttributes) as ResourceAttributes, {db}_cut(SpanAttributes) as SpanAttributes)
    from {db}.otlp_spans
    where impossible = ''));
