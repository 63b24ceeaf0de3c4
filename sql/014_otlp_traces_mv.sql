-- Opens the requests of otlp_traces_in: one row per span, ids in hex, every attribute value as text; what is
-- not UTF-8, which the protocol forbids and this engine reads, is marked with U+FFFD. Elements by tupleElement:
-- the engine takes a dotted name for a subcolumn, and looks through the whole type for it, at each use and every insert.
create or replace materialized view {db}.otlp_traces_mv to {db}.otlp_spans {as_its_maker}as
with
  value -> coalesce(
      tupleElement(value, 'string_value'), toString(tupleElement(value, 'int_value')), toString(tupleElement(value, 'double_value')), toString(CAST(tupleElement(value, 'bool_value'), 'Nullable(Bool)')),
      if(empty(tupleElement(tupleElement(value, 'array_value'), 'values')), null, toJSONString(arrayMap(
        x -> coalesce(tupleElement(x, 'string_value'), toString(tupleElement(x, 'int_value')), toString(tupleElement(x, 'double_value')), toString(CAST(tupleElement(x, 'bool_value'), 'Nullable(Bool)')), ''),
        tupleElement(tupleElement(value, 'array_value'), 'values')))), '') as text
select
  tupleElement(span, 'start_time_unix_nano') as start_ns,
  tupleElement(span, 'end_time_unix_nano') as end_ns,
  lower(hex(tupleElement(span, 'trace_id'))) as TraceId,
  lower(hex(tupleElement(span, 'span_id'))) as SpanId,
  lower(hex(tupleElement(span, 'parent_span_id'))) as ParentSpanId,
  toValidUTF8(tupleElement(span, 'trace_state')) as TraceState,
  toValidUTF8(tupleElement(span, 'name')) as SpanName,
  arrayElement(['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'], tupleElement(span, 'kind') + 1) as SpanKind,
  resource_attributes as ResourceAttributes,
  toValidUTF8(scope_name) as ScopeName,
  toValidUTF8(scope_version) as ScopeVersion,
  CAST(arrayMap(kv -> (toValidUTF8(tupleElement(kv, 'key')), toValidUTF8(text(tupleElement(kv, 'value')))), tupleElement(span, 'attributes')), 'Map(LowCardinality(String), String)') as SpanAttributes,
  arrayElement(['Unset', 'Ok', 'Error'], tupleElement(tupleElement(span, 'status'), 'code') + 1) as StatusCode,
  toValidUTF8(tupleElement(tupleElement(span, 'status'), 'message')) as StatusMessage,
  arrayMap(event -> fromUnixTimestamp64Nano(toInt64(least(tupleElement(event, 'time_unix_nano'), 9000000000000000000))), tupleElement(span, 'events')) as `Events.Timestamp`,
  arrayMap(name -> toValidUTF8(name), tupleElement(tupleElement(span, 'events'), 'name')) as `Events.Name`,
  arraySlice(parts, 1, length(tupleElement(span, 'events'))) as `Events.Attributes`,
  arrayMap(link -> lower(hex(tupleElement(link, 'trace_id'))), tupleElement(span, 'links')) as `Links.TraceId`,
  arrayMap(link -> lower(hex(tupleElement(link, 'span_id'))), tupleElement(span, 'links')) as `Links.SpanId`,
  arrayMap(state -> toValidUTF8(state), tupleElement(tupleElement(span, 'links'), 'trace_state')) as `Links.TraceState`,
  arraySlice(parts, length(tupleElement(span, 'events')) + 1) as `Links.Attributes`,
  tenant as CredentialTenant,
  request as Request
from (
  -- attributes of events, then of links: one expression for both, because the engine analyses each one at every insert
  select *, arrayMap(attributes -> CAST(arrayMap(kv -> (toValidUTF8(tupleElement(kv, 'key')), toValidUTF8(text(tupleElement(kv, 'value')))), attributes), 'Map(LowCardinality(String), String)'), arrayConcat(tupleElement(tupleElement(span, 'events'), 'attributes'), tupleElement(tupleElement(span, 'links'), 'attributes'))) as parts
  from (
    select tenant, request, resource_attributes, tupleElement(tupleElement(scoped, 'scope'), 'name') as scope_name, tupleElement(tupleElement(scoped, 'scope'), 'version') as scope_version, arrayJoin(tupleElement(scoped, 'spans')) as span
    from (
      select tenant, request, CAST(arrayMap(kv -> (toValidUTF8(tupleElement(kv, 'key')), toValidUTF8(text(tupleElement(kv, 'value')))), tupleElement(tupleElement(of_resource, 'resource'), 'attributes')), 'Map(LowCardinality(String), String)') as resource_attributes, arrayJoin(tupleElement(of_resource, 'scope_spans')) as scoped
      from (select tenant, request, arrayJoin(resource_spans) as of_resource from {db}.otlp_traces_in))));
