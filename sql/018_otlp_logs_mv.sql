-- Opens the requests of otlp_logs_in: one row per log record, ids in hex, every attribute value as text; what is
-- not UTF-8, which the protocol forbids and this engine reads, is marked with U+FFFD. Elements by tupleElement:
-- the engine takes a dotted name for a subcolumn, and looks through the whole type for it, at each use and every insert.
create or replace materialized view {db}.otlp_logs_mv to {db}.otlp_log_records {as_its_maker}as
with
  value -> coalesce(
      tupleElement(value, 'string_value'), toString(tupleElement(value, 'int_value')), toString(tupleElement(value, 'double_value')), if(isNull(tupleElement(value, 'bool_value')), null, if(tupleElement(value, 'bool_value') = 1, 'true', 'false')),
      if(empty(tupleElement(tupleElement(value, 'array_value'), 'values')), null, toJSONString(arrayMap(
        x -> coalesce(tupleElement(x, 'string_value'), toString(tupleElement(x, 'int_value')), toString(tupleElement(x, 'double_value')), if(isNull(tupleElement(x, 'bool_value')), null, if(tupleElement(x, 'bool_value') = 1, 'true', 'false')), ''),
        tupleElement(tupleElement(value, 'array_value'), 'values')))), '') as text,
  if(tupleElement(record, 'time_unix_nano') != 0, tupleElement(record, 'time_unix_nano'), tupleElement(record, 'observed_time_unix_nano')) as time_ns
select
  time_ns,
  lower(hex(tupleElement(record, 'trace_id'))) as TraceId,
  lower(hex(tupleElement(record, 'span_id'))) as SpanId,
  toUInt8(bitAnd(tupleElement(record, 'flags'), 255)) as TraceFlags,
  toValidUTF8(tupleElement(record, 'severity_text')) as SeverityText,
  toUInt8(greatest(0, least(255, tupleElement(record, 'severity_number')))) as SeverityNumber,
  toValidUTF8(text(tupleElement(record, 'body'))) as Body,
  toValidUTF8(resource_schema_url) as ResourceSchemaUrl,
  resource_attributes as ResourceAttributes,
  toValidUTF8(scope_schema_url) as ScopeSchemaUrl,
  toValidUTF8(scope_name) as ScopeName,
  toValidUTF8(scope_version) as ScopeVersion,
  scope_attributes as ScopeAttributes,
  CAST(arrayMap(kv -> (toValidUTF8(tupleElement(kv, 'key')), toValidUTF8(text(tupleElement(kv, 'value')))), tupleElement(record, 'attributes')), 'Map(LowCardinality(String), String)') as LogAttributes,
  toValidUTF8(tupleElement(record, 'event_name')) as EventName,
  tenant as CredentialTenant,
  request as Request
from (
  select
    tenant, request, resource_attributes, resource_schema_url, tupleElement(tupleElement(scoped, 'scope'), 'name') as scope_name, tupleElement(tupleElement(scoped, 'scope'), 'version') as scope_version,
    CAST(arrayMap(kv -> (toValidUTF8(tupleElement(kv, 'key')), toValidUTF8(text(tupleElement(kv, 'value')))), tupleElement(tupleElement(scoped, 'scope'), 'attributes')), 'Map(LowCardinality(String), String)') as scope_attributes, tupleElement(scoped, 'schema_url') as scope_schema_url,
    arrayJoin(tupleElement(scoped, 'log_records')) as record
  from (
    select tenant, request, CAST(arrayMap(kv -> (toValidUTF8(tupleElement(kv, 'key')), toValidUTF8(text(tupleElement(kv, 'value')))), tupleElement(tupleElement(of_resource, 'resource'), 'attributes')), 'Map(LowCardinality(String), String)') as resource_attributes, tupleElement(of_resource, 'schema_url') as resource_schema_url, arrayJoin(tupleElement(of_resource, 'scope_logs')) as scoped
    from (select tenant, request, arrayJoin(resource_logs) as of_resource from {db}.otlp_logs_in)));
