-- Lands the log records that can be. Where a credential says whose they are, what the sender says about it is left out;
-- values are at most a mebibyte long.
create or replace materialized view {db}.otlp_log_records_mv to {db}.otel_logs {as_its_maker}as
select
  fromUnixTimestamp64Nano(toInt64(time_ns)) as Timestamp, TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber,
  ResourceAttributes['service.name'] as ServiceName, Body, ResourceSchemaUrl,
  if(CredentialTenant = '', {db}_cut(records.ResourceAttributes), {db}_of_tenant(CredentialTenant, {db}_cut(records.ResourceAttributes))) as ResourceAttributes,
  ScopeSchemaUrl, ScopeName, ScopeVersion, ScopeAttributes,
  if(CredentialTenant = '', {db}_cut(records.LogAttributes), {db}_of_tenant('', {db}_cut(records.LogAttributes))) as LogAttributes, EventName
from {db}.otlp_log_records as records
where impossible = '';
