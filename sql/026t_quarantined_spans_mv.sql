-- Keeps aside the spans that cannot be booked.
create or replace materialized view {db}.quarantined_spans_mv to {db}.quarantined_spans {as_its_maker}as
select
  reason, start_ns, end_ns, TraceId as trace_id, SpanId as span_id, ParentSpanId as parent_span_id, SpanName as span_name,
  ResourceAttributes['service.name'] as service, ResourceAttributes as resource_attributes, ScopeName as scope_name, ScopeVersion as scope_version,
  SpanAttributes as span_attributes, StatusCode as status_code, Request as request, CredentialTenant as tenant, 'traces' as signal,
  SpanKind as span_kind, TraceState as trace_state, StatusMessage as status_message,
  `Events.Name` as event_names, `Events.Timestamp` as event_times, `Events.Attributes` as event_attributes
-- a stage of its own, because the engine analyses an alias column at each use, at every insert
from (select *, impossible as reason from {db}.otlp_spans)
where reason != '';
