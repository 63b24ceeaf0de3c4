-- Opens the requests of otlp_json_logs_in: one row per log record, ids in hex, every attribute value as text. Elements by
-- tupleElement: the engine takes a dotted name for a subcolumn, and looks through the whole type for it, at each use and every insert.
create or replace materialized view {db}.otlp_json_logs_mv to {db}.otlp_log_records {as_its_maker}as
with
  value -> coalesce(
      tupleElement(value, 'stringValue'), tupleElement(value, 'intValue'), toString(tupleElement(value, 'doubleValue')), toString(tupleElement(value, 'boolValue')),
      if(isNull(tupleElement(value, 'arrayValue')), null, toJSONString(arrayMap(
        x -> coalesce(tupleElement(x, 'stringValue'), tupleElement(x, 'intValue'), toString(tupleElement(x, 'doubleValue')), toString(tupleElement(x, 'boolValue')), ''),
        JSONExtract(assumeNotNull(tupleElement(value, 'arrayValue')), 'values', 'Array(Tuple(stringValue Nullable(String), intValue Nullable(String), doubleValue Nullable(Float64), boolValue Nullable(Bool)))')))), '') as text,
  if(toUInt64OrZero(tupleElement(record, 'timeUnixNano')) != 0, toUInt64OrZero(tupleElement(record, 'timeUnixNano')), toUInt64OrZero(tupleElement(record, 'observedTimeUnixNano'))) as time_ns
select
  time_ns,
  lower(tupleElement(record, 'traceId')) as TraceId,
  lower(tupleElement(record, 'spanId')) as SpanId,
  toUInt8(bitAnd(tupleElement(record, 'flags'), 255)) as TraceFlags,
  tupleElement(record, 'severityText') as SeverityText,
  toUInt8OrZero(tupleElement(record, 'severityNumber')) as SeverityNumber,
  text(tupleElement(record, 'body')) as Body,
  resource_schema_url as ResourceSchemaUrl,
  resource_attributes as ResourceAttributes,
  scope_schema_url as ScopeSchemaUrl,
  scope_name as ScopeName,
  scope_version as ScopeVersion,
  scope_attributes as ScopeAttributes,
  CAST(arrayMap(kv -> (tupleElement(kv, 'key'), text(tupleElement(kv, 'value'))), tupleElement(record, 'attributes')), 'Map(LowCardinality(String), String)') as LogAttributes,
  tupleElement(record, 'eventName') as EventName,
  tenant as CredentialTenant,
  request as Request
from (
  select
    tenant, request, resource_attributes, resource_schema_url, tupleElement(tupleElement(scoped, 'scope'), 'name') as scope_name, tupleElement(tupleElement(scoped, 'scope'), 'version') as scope_version,
    CAST(arrayMap(kv -> (tupleElement(kv, 'key'), text(tupleElement(kv, 'value'))), tupleElement(tupleElement(scoped, 'scope'), 'attributes')), 'Map(LowCardinality(String), String)') as scope_attributes, tupleElement(scoped, 'schemaUrl') as scope_schema_url,
    arrayJoin(tupleElement(scoped, 'logRecords')) as record
  from (
    select tenant, request, CAST(arrayMap(kv -> (tupleElement(kv, 'key'), text(tupleElement(kv, 'value'))), tupleElement(tupleElement(of_resource, 'resource'), 'attributes')), 'Map(LowCardinality(String), String)') as resource_attributes, tupleElement(of_resource, 'schemaUrl') as resource_schema_url, arrayJoin(tupleElement(of_resource, 'scopeLogs')) as scoped
    from (select tenant, request, arrayJoin(resourceLogs) as of_resource from {db}.otlp_json_logs_in)));
