-- Spans that are read a second time: from the own landing after names or rules changed or after a crash, or from the otel_traces of another
-- collector. They go to the normaliser like landed ones; nothing is stored here.
create table if not exists {db}.spans_again (
  Timestamp DateTime64(9) comment 'Start of the span',
  TraceId String comment 'Trace id, 32 lower-case hex digits',
  SpanId String comment 'Span id, 16 lower-case hex digits',
  ParentSpanId String comment 'Span id of the parent, or empty',
  SpanName LowCardinality(String) comment 'Name of the span',
  SpanKind LowCardinality(String) comment 'Internal, Client, Server, Producer, Consumer, Unspecified',
  ServiceName LowCardinality(String) comment 'Resource attribute service.name',
  ResourceAttributes Map(LowCardinality(String), String) comment 'Attributes of the resource, every value as text',
  ScopeName String comment 'Instrumentation scope: who emitted the span',
  ScopeVersion String comment 'Version of the instrumentation scope',
  SpanAttributes Map(LowCardinality(String), String) comment 'Attributes of the span, every value as text',
  Duration UInt64 comment 'Nanoseconds',
  StatusCode LowCardinality(String) comment 'Unset, Ok, Error',
  StatusMessage String comment 'Text of the status',
  Generation UInt8 comment 'Number of the reading: a later one wins over what an earlier one said of the same span; 0: as landed'
) engine = Null
comment 'Junction: spans that are read again';
