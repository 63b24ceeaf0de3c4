-- Opens the requests of otlp_logs_in: one row per log record, ids in hex, every attribute value as text; what is
-- not UTF-8, which the protocol forbids and this engine reads, is marked with U+FFFD.
create or replace materialized view {db}.otlp_logs_mv to {db}.otlp_log_records {as_its_maker}as
with
  value -> coalesce(
      value.string_value, toString(value.int_value), toString(value.double_value), if(isNull(value.bool_value), null, if(value.bool_value = 1, 'true', 'false')),
      if(empty(value.array_value.values), null, toJSONString(arrayMap(
        x -> coalesce(x.string_value, toString(x.int_value), toString(x.double_value), if(isNull(x.bool_value), null, if(x.bool_value = 1, 'true', 'false')), ''),
        value.array_value.values))), '') as text,
  if(record.time_unix_nano != 0, record.time_unix_nano, record.observed_time_unix_nano) as time_ns
select
  time_ns,
  lower(hex(record.trace_id)) as TraceId,
  lower(hex(record.span_id)) as SpanId,
  toUInt8(bitAnd(record.flags, 255)) as TraceFlags,
  toValidUTF8(record.severity_text) as SeverityText,
  toUInt8(greatest(0, least(255, record.severity_number))) as SeverityNumber,
  toValidUTF8(text(record.body)) as Body,
  toValidUTF8(resource_schema_url) as ResourceSchemaUrl,
  resource_attributes as ResourceAttributes,
  toValidUTF8(scope_schema_url) as ScopeSchemaUrl,
  toValidUTF8(scope_name) as ScopeName,
  toValidUTF8(scope_version) as ScopeVersion,
  scope_attributes as ScopeAttributes,
  CAST(arrayMap(kv -> (toValidUTF8(kv.key), toValidUTF8(text(kv.value))), record.attributes), 'Map(LowCardinality(String), String)') as LogAttributes,
  toValidUTF8(record.event_name) as EventName,
  tenant as CredentialTenant,
  request as Request
from (
  select
    tenant, request, resource_attributes, resource_schema_url, scoped.scope.name as scope_name, scoped.scope.version as scope_version,
    CAST(arrayMap(kv -> (toValidUTF8(kv.key), toValidUTF8(text(kv.value))), scoped.scope.attributes), 'Map(LowCardinality(String), String)') as scope_attributes, scoped.schema_url as scope_schema_url,
    arrayJoin(scoped.log_records) as record
  from (
    select tenant, request, CAST(arrayMap(kv -> (toValidUTF8(kv.key), toValidUTF8(text(kv.value))), of_resource.resource.attributes), 'Map(LowCardinality(String), String)') as resource_attributes, of_resource.schema_url as resource_schema_url, arrayJoin(of_resource.scope_logs) as scoped
    from (select tenant, request, arrayJoin(resource_logs) as of_resource from {db}.otlp_logs_in)));
