-- Opens the requests of otlp_json_traces_in: one row per span, ids in hex, every attribute value as text. Elements by
-- tupleElement: the engine takes a dotted name for a subcolumn, and looks through the whole type for it, at each use and every insert.
create or replace materialized view {db}.otlp_json_traces_mv to {db}.otlp_spans {as_its_maker}as
with
  value -> coalesce(
      tupleElement(value, 'stringValue'), tupleElement(value, 'intValue'), toString(tupleElement(value, 'doubleValue')), toString(tupleElement(value, 'boolValue')),
      if(isNull(tupleElement(value, 'arrayValue')), null, toJSONString(arrayMap(
        x -> coalesce(tupleElement(x, 'stringValue'), tupleElement(x, 'intValue'), toString(tupleElement(x, 'doubleValue')), toString(tupleElement(x, 'boolValue')), ''),
        JSONExtract(assumeNotNull(tupleElement(value, 'arrayValue')), 'values', 'Array(Tuple(stringValue Nullable(String), intValue Nullable(String), doubleValue Nullable(Float64), boolValue Nullable(Bool)))')))), '') as text
select
  toUInt64OrZero(tupleElement(span, 'startTimeUnixNano')) as start_ns,
  toUInt64OrZero(tupleElement(span, 'endTimeUnixNano')) as end_ns,
  lower(tupleElement(span, 'traceId')) as TraceId,
  lower(tupleElement(span, 'spanId')) as SpanId,
  lower(tupleElement(span, 'parentSpanId')) as ParentSpanId,
  tupleElement(span, 'traceState') as TraceState,
  tupleElement(span, 'name') as SpanName,
  transform(replaceOne(tupleElement(span, 'kind'), 'SPAN_KIND_', ''), ['', '0', '1', '2', '3', '4', '5', 'UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'], ['Unspecified', 'Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer', 'Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'], 'Unspecified') as SpanKind,
  resource_attributes as ResourceAttributes,
  scope_name as ScopeName,
  scope_version as ScopeVersion,
  CAST(arrayMap(kv -> (tupleElement(kv, 'key'), text(tupleElement(kv, 'value'))), tupleElement(span, 'attributes')), 'Map(LowCardinality(String), String)') as SpanAttributes,
  transform(replaceOne(tupleElement(tupleElement(span, 'status'), 'code'), 'STATUS_CODE_', ''), ['1', '2', 'OK', 'ERROR'], ['Ok', 'Error', 'Ok', 'Error'], 'Unset') as StatusCode,
  tupleElement(tupleElement(span, 'status'), 'message') as StatusMessage,
  arrayMap(event -> fromUnixTimestamp64Nano(toInt64(least(toUInt64OrZero(tupleElement(event, 'timeUnixNano')), 9000000000000000000))), tupleElement(span, 'events')) as `Events.Timestamp`,
  tupleElement(tupleElement(span, 'events'), 'name') as `Events.Name`,
  arrayMap(event -> CAST(arrayMap(kv -> (tupleElement(kv, 'key'), text(tupleElement(kv, 'value'))), tupleElement(event, 'attributes')), 'Map(LowCardinality(String), String)'), tupleElement(span, 'events')) as `Events.Attributes`,
  arrayMap(link -> lower(tupleElement(link, 'traceId')), tupleElement(span, 'links')) as `Links.TraceId`,
  arrayMap(link -> lower(tupleElement(link, 'spanId')), tupleElement(span, 'links')) as `Links.SpanId`,
  tupleElement(tupleElement(span, 'links'), 'traceState') as `Links.TraceState`,
  arrayMap(link -> CAST(arrayMap(kv -> (tupleElement(kv, 'key'), text(tupleElement(kv, 'value'))), tupleElement(link, 'attributes')), 'Map(LowCardinality(String), String)'), tupleElement(span, 'links')) as `Links.Attributes`,
  tenant as CredentialTenant,
  request as Request
from (
  select tenant, request, resource_attributes, tupleElement(tupleElement(scoped, 'scope'), 'name') as scope_name, tupleElement(tupleElement(scoped, 'scope'), 'version') as scope_version, arrayJoin(tupleElement(scoped, 'spans')) as span
  from (
    select tenant, request, CAST(arrayMap(kv -> (tupleElement(kv, 'key'), text(tupleElement(kv, 'value'))), tupleElement(tupleElement(of_resource, 'resource'), 'attributes')), 'Map(LowCardinality(String), String)') as resource_attributes, arrayJoin(tupleElement(of_resource, 'scopeSpans')) as scoped
    from (select tenant, request, arrayJoin(resourceSpans) as of_resource from {db}.otlp_json_traces_in)));
