-- Opens the requests of otlp_json_logs_in: one row per log record, ids in hex, every attribute value as text.
create or replace materialized view {db}.otlp_json_logs_mv to {db}.otlp_log_records {as_its_maker}as
with
  value -> coalesce(
      value.stringValue, value.intValue, toString(value.doubleValue), toString(value.boolValue),
      if(isNull(value.arrayValue), null, toJSONString(arrayMap(
        x -> coalesce(x.stringValue, x.intValue, toString(x.doubleValue), toString(x.boolValue), ''),
        JSONExtract(assumeNotNull(value.arrayValue), 'values', 'Array(Tuple(stringValue Nullable(String), intValue Nullable(String), doubleValue Nullable(Float64), boolValue Nullable(Bool)))')))), '') as text,
  if(toUInt64OrZero(record.timeUnixNano) != 0, toUInt64OrZero(record.timeUnixNano), toUInt64OrZero(record.observedTimeUnixNano)) as time_ns
select
  time_ns,
  lower(record.traceId) as TraceId,
  lower(record.spanId) as SpanId,
  toUInt8(bitAnd(record.flags, 255)) as TraceFlags,
  record.severityText as SeverityText,
  toUInt8OrZero(record.severityNumber) as SeverityNumber,
  text(record.body) as Body,
  resource_schema_url as ResourceSchemaUrl,
  resource_attributes as ResourceAttributes,
  scope_schema_url as ScopeSchemaUrl,
  scope_name as ScopeName,
  scope_version as ScopeVersion,
  scope_attributes as ScopeAttributes,
  CAST(arrayMap(kv -> (kv.key, text(kv.value)), record.attributes), 'Map(LowCardinality(String), String)') as LogAttributes,
  record.eventName as EventName,
  tenant as CredentialTenant,
  request as Request
from (
  select
    tenant, request, resource_attributes, resource_schema_url, scoped.scope.name as scope_name, scoped.scope.version as scope_version,
    CAST(arrayMap(kv -> (kv.key, text(kv.value)), scoped.scope.attributes), 'Map(LowCardinality(String), String)') as scope_attributes, scoped.schemaUrl as scope_schema_url,
    arrayJoin(scoped.logRecords) as record
  from (
    select tenant, request, CAST(arrayMap(kv -> (kv.key, text(kv.value)), of_resource.resource.attributes), 'Map(LowCardinality(String), String)') as resource_attributes, of_resource.schemaUrl as resource_schema_url, arrayJoin(of_resource.scopeLogs) as scoped
    from (select tenant, request, arrayJoin(resourceLogs) as of_resource from {db}.otlp_json_logs_in)));
