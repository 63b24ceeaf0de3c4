-- One row per span or log record of a request that is kept aside.
select
  received_at, signal, reason, tenant, trace_id, span_id, parent_span_id, toValidUTF8(span_name) as name, service,
  start_ns, end_ns, span_kind, status_code, mapApply((k, v) -> (toString(k), toValidUTF8(v)), resource_attributes) as resource_attributes,
  scope_name, scope_version, mapApply((k, v) -> (toString(k), toValidUTF8(v)), span_attributes) as attributes, toValidUTF8(body) as body
from quarantined_spans
where request = {request:UInt64}
order by start_ns, span_id
