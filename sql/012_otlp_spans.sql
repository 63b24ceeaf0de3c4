-- One row per span that came through a door, not yet checked; nothing is stored here. What is possible goes to otel_traces,
-- what is not goes to quarantined_spans.
create table if not exists {db}.otlp_spans (
  start_ns UInt64 comment 'Start, nanoseconds since 1970',
  end_ns UInt64 comment 'End, nanoseconds since 1970',
  TraceId String comment 'Trace id, hex',
  SpanId String comment 'Span id, hex',
  ParentSpanId String comment 'Parent span id, hex, or empty',
  TraceState String comment 'W3C trace state',
  SpanName String comment 'Name of the span',
  SpanKind String comment 'Internal, Client, ...',
  ResourceAttributes Map(LowCardinality(String), String) comment 'Attributes of the resource',
  ScopeName String comment 'Instrumentation scope',
  ScopeVersion String comment 'Version of the scope',
  SpanAttributes Map(LowCardinality(String), String) comment 'Attributes of the span',
  StatusCode String comment 'Unset, Ok, Error',
  StatusMessage String comment 'Text of the status',
  `Events.Timestamp` Array(DateTime64(9)) comment 'Times of the events',
  `Events.Name` Array(String) comment 'Names of the events',
  `Events.Attributes` Array(Map(LowCardinality(String), String)) comment 'Attributes of the events',
  `Links.TraceId` Array(String) comment 'Trace ids of the links',
  `Links.SpanId` Array(String) comment 'Span ids of the links',
  `Links.TraceState` Array(String) comment 'Trace states of the links',
  `Links.Attributes` Array(Map(LowCardinality(String), String)) comment 'Attributes of the links',
  impossible String alias multiIf(
    length(TraceId) != 32 or match(TraceId, '[^0-9a-f]') or TraceId = repeat('0', 32), 'trace id is not 16 bytes or is all zero',
    length(SpanId) != 16 or match(SpanId, '[^0-9a-f]') or SpanId = repeat('0', 16), 'span id is not 8 bytes or is all zero',
    start_ns < toUInt64(toUnixTimestamp(now() - interval {calls_days} day + interval 1 day)) * 1000000000, 'starts before the ledger''s retention',
    start_ns > toUInt64(toUnixTimestamp(now() + interval 1 day)) * 1000000000, 'starts more than a day in the future',
    end_ns > start_ns + 864000000000000, 'lasts longer than ten days',
    '') comment 'Why the span cannot be booked; empty if it can'
) engine = Null
comment 'Junction: spans from the doors';
