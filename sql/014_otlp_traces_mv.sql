-- Opens the requests of otlp_traces_in: one row per span, ids in hex, every attribute value as text; what is
-- not UTF-8, which the protocol forbids and this engine reads, is marked with U+FFFD.
create or replace materialized view {db}.otlp_traces_mv to {db}.otlp_spans {as_its_maker}as
with
  value -> coalesce(
      value.string_value, toString(value.int_value), toString(value.double_value), toString(CAST(value.bool_value, 'Nullable(Bool)')),
      if(empty(value.array_value.values), null, toJSONString(arrayMap(
        x -> coalesce(x.string_value, toString(x.int_value), toString(x.double_value), toString(CAST(x.bool_value, 'Nullable(Bool)')), ''),
        value.array_value.values))), '') as text
select
  span.start_time_unix_nano as start_ns,
  span.end_time_unix_nano as end_ns,
  lower(hex(span.trace_id)) as TraceId,
  lower(hex(span.span_id)) as SpanId,
  lower(hex(span.parent_span_id)) as ParentSpanId,
  toValidUTF8(span.trace_state) as TraceState,
  toValidUTF8(span.name) as SpanName,
  arrayElement(['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'], span.kind + 1) as SpanKind,
  resource_attributes as ResourceAttributes,
  toValidUTF8(scope_name) as ScopeName,
  toValidUTF8(scope_version) as ScopeVersion,
  CAST(arrayMap(kv -> (toValidUTF8(kv.key), toValidUTF8(text(kv.value))), span.attributes), 'Map(LowCardinality(String), String)') as SpanAttributes,
  arrayElement(['Unset', 'Ok', 'Error'], span.status.code + 1) as StatusCode,
  toValidUTF8(span.status.message) as StatusMessage,
  arrayMap(event -> fromUnixTimestamp64Nano(toInt64(least(event.time_unix_nano, 9000000000000000000))), span.events) as `Events.Timestamp`,
  arrayMap(name -> toValidUTF8(name), span.events.name) as `Events.Name`,
  arraySlice(parts, 1, length(span.events)) as `Events.Attributes`,
  arrayMap(link -> lower(hex(link.trace_id)), span.links) as `Links.TraceId`,
  arrayMap(link -> lower(hex(link.span_id)), span.links) as `Links.SpanId`,
  arrayMap(state -> toValidUTF8(state), span.links.trace_state) as `Links.TraceState`,
  arraySlice(parts, length(span.events) + 1) as `Links.Attributes`,
  tenant as CredentialTenant,
  request as Request
from (
  -- attributes of events, then of links: one expression for both, because the engine analyses each one at every insert
  select *, arrayMap(attributes -> CAST(arrayMap(kv -> (toValidUTF8(kv.key), toValidUTF8(text(kv.value))), attributes), 'Map(LowCardinality(String), String)'), arrayConcat(span.events.attributes, span.links.attributes)) as parts
  from (
    select tenant, request, resource_attributes, scoped.scope.name as scope_name, scoped.scope.version as scope_version, arrayJoin(scoped.spans) as span
    from (
      select tenant, request, CAST(arrayMap(kv -> (toValidUTF8(kv.key), toValidUTF8(text(kv.value))), of_resource.resource.attributes), 'Map(LowCardinality(String), String)') as resource_attributes, arrayJoin(of_resource.scope_spans) as scoped
      from (select tenant, request, arrayJoin(resource_spans) as of_resource from {db}.otlp_traces_in))));
