-- Sends the log records of a request through the door again: what still cannot be is kept aside again.
insert into otlp_log_records (
  time_ns, TraceId, SpanId, ResourceAttributes, ScopeName, ScopeVersion, LogAttributes, EventName, Body, CredentialTenant, Request)
select start_ns, trace_id, span_id, resource_attributes, scope_name, scope_version, span_attributes, span_name, body, tenant, request
from quarantined_spans
where request = {request:UInt64} and signal = 'logs' and received_at <= {moment:DateTime64(3, 'UTC')}
