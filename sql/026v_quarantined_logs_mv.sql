-- Keeps aside the log records that cannot be booked.
create or replace materialized view {db}.quarantined_logs_mv to {db}.quarantined_spans {as_its_maker}as
select
  impossible as reason, time_ns as start_ns, time_ns as end_ns, TraceId as trace_id, SpanId as span_id, EventName as span_name,
  ResourceAttributes['service.name'] as service, ResourceAttributes as resource_attributes, ScopeName as scope_name, ScopeVersion as scope_version,
  LogAttributes as span_attributes, Request as request, CredentialTenant as tenant, 'logs' as signal, Body as body
from {db}.otlp_log_records
where impossible != '';
