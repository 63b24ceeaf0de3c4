-- Reads again what landed in the last hours and never became a call, and what arrived in the last minute of writing: a process that is
-- killed between two tables may have filled only some of them, and a sender that got its answer never sends again. Reading twice
-- changes nothing. The whole trace is read, so that the chain of parents is whole. Once at start, then hourly.
create or replace materialized view {db}.landing_sweep_mv
refresh every 1 hour{by_command} append to {db}.spans_again {as_its_maker}as
with
  (select least(max(Timestamp), now64(9)) - interval 3 hour from {db}.otel_traces) as since,
  booked as (select trace_id, span_id, ingested_at from {db}.genai_calls where ts >= since - interval 1 second),
  -- `has` and not `=`: the engine would turn around a dictionary's lookup that is compared, and fails at that inside a lambda
  lost as (
    select TraceId as trace
    from {db}.otel_traces
    where Timestamp >= since and length(TraceId) = 32 and length(SpanId) = 16
      and arrayExists((name, value) -> multiIf(
        has(['operation'], dictGet('{db}.attribute_dict', 'field', tuple(toString(name)))), has(['call', 'wrapper'], dictGet('{db}.operation_dict', 'role', tuple(value))),
        has(['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens'], dictGet('{db}.attribute_dict', 'field', tuple(toString(name)))), value != '' and value != '0',
        false), mapKeys(SpanAttributes), mapValues(SpanAttributes))
      and (toFixedString(unhex(TraceId), 16), reinterpretAsUInt64(reverse(unhex(SpanId)))) not in (select trace_id, span_id from booked)
    union all
    select lower(hex(trace_id)) as trace from booked where ingested_at >= (select least(max(ingested_at), now64(3)) from booked) - interval 1 minute)
select
  Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName, ScopeVersion, SpanAttributes, Duration, StatusCode,
  StatusMessage, toUInt8(0) as Generation
from {db}.otel_traces
where Timestamp >= since and TraceId in (select trace from lost);
