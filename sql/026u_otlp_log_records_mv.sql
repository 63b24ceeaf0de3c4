-- Lands the log records that can be. Where a credential says whose they are, what the sender says about it is left out;
-- values are at most a mebibyte long.
create or replace materialized view {db}.otlp_log_records_mv to {db}.otel_logs {as_its_maker}as
select
  fromUnixTimestamp64Nano(toInt64(time_ns)) as Timestamp, TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber,
  ResourceAttributes['service.name'] as ServiceName, Body, ResourceSchemaUrl, ResourceAttributes, ScopeSchemaUrl, ScopeName, ScopeVersion, ScopeAttributes,
  LogAttributes, EventName
from (
  -- one choice for all, because each copies the attributes; of so few bytes none can be too long
  select
    least(CredentialTenant = '', byteSize(ResourceAttributes, LogAttributes) < 1048576) as as_sent,
    * replace (
      if(as_sent, ResourceAttributes, {db}_of_tenant(CredentialTenant, {db}_cut(ResourceAttributes))) as ResourceAttributes,
      if(as_sent, LogAttributes, {db}_without_tenant(CredentialTenant, {db}_cut(LogAttributes))) as LogAttributes)
  from {db}.otlp_log_records
  where impossible = '');
