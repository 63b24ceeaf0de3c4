-- Opens the requests of otlp_json_traces_in: one row per span, ids in hex, every attribute value as text.
create or replace materialized view {db}.otlp_json_traces_mv to {db}.otlp_spans {as_its_maker}as
with
  value -> coalesce(
      value.stringValue, value.intValue, toString(value.doubleValue), toString(value.boolValue),
      if(isNull(value.arrayValue), null, toJSONString(arrayMap(
        x -> coalesce(x.stringValue, x.intValue, toString(x.doubleValue), toString(x.boolValue), ''),
        JSONExtract(assumeNotNull(value.arrayValue), 'values', 'Array(Tuple(stringValue Nullable(String), intValue Nullable(String), doubleValue Nullable(Float64), boolValue Nullable(Bool)))')))), '') as text
select
  toUInt64OrZero(span.startTimeUnixNano) as start_ns,
  toUInt64OrZero(span.endTimeUnixNano) as end_ns,
  lower(span.traceId) as TraceId,
  lower(span.spanId) as SpanId,
  lower(span.parentSpanId) as ParentSpanId,
  span.traceState as TraceState,
  span.name as SpanName,
  transform(replaceOne(span.kind, 'SPAN_KIND_', ''), ['', '0', '1', '2', '3', '4', '5', 'UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'], ['Unspecified', 'Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer', 'Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'], 'Unspecified') as SpanKind,
  resource_attributes as ResourceAttributes,
  scope_name as ScopeName,
  scope_version as ScopeVersion,
  CAST(arrayMap(kv -> (kv.key, text(kv.value)), span.attributes), 'Map(LowCardinality(String), String)') as SpanAttributes,
  transform(replaceOne(span.status.code, 'STATUS_CODE_', ''), ['1', '2', 'OK', 'ERROR'], ['Ok', 'Error', 'Ok', 'Error'], 'Unset') as StatusCode,
  span.status.message as StatusMessage,
  arrayMap(event -> fromUnixTimestamp64Nano(toInt64(least(toUInt64OrZero(event.timeUnixNano), 9000000000000000000))), span.events) as `Events.Timestamp`,
  span.events.name as `Events.Name`,
  arrayMap(event -> CAST(arrayMap(kv -> (kv.key, text(kv.value)), event.attributes), 'Map(LowCardinality(String), String)'), span.events) as `Events.Attributes`,
  arrayMap(link -> lower(link.traceId), span.links) as `Links.TraceId`,
  arrayMap(link -> lower(link.spanId), span.links) as `Links.SpanId`,
  span.links.traceState as `Links.TraceState`,
  arrayMap(link -> CAST(arrayMap(kv -> (kv.key, text(kv.value)), link.attributes), 'Map(LowCardinality(String), String)'), span.links) as `Links.Attributes`,
  tenant as CredentialTenant,
  request as Request
from (
  select tenant, request, resource_attributes, scoped.scope.name as scope_name, scoped.scope.version as scope_version, arrayJoin(scoped.spans) as span
  from (
    select tenant, request, CAST(arrayMap(kv -> (kv.key, text(kv.value)), of_resource.resource.attributes), 'Map(LowCardinality(String), String)') as resource_attributes, arrayJoin(of_resource.scopeSpans) as scoped
    from (select tenant, request, arrayJoin(resourceSpans) as of_resource from {db}.otlp_json_traces_in)));
