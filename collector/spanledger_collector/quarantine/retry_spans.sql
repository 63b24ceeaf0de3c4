-- Sends the spans of a request through the door again: what still cannot be is kept aside again.
insert into otlp_spans (
  start_ns, end_ns, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ResourceAttributes, ScopeName, ScopeVersion, SpanAttributes,
  StatusCode, StatusMessage, `Events.Timestamp`, `Events.Name`, `Events.Attributes`, CredentialTenant, Request)
select
  start_ns, end_ns, trace_id, span_id, parent_span_id, trace_state, span_name, span_kind, resource_attributes, scope_name, scope_version,
  span_attributes, status_code, status_message, event_times, event_names, event_attributes, tenant, request
from quarantined_spans
where request = {request:UInt64} and signal != 'logs' and received_at <= {moment:DateTime64(3, 'UTC')}
