-- One row per delivered span; a retried export delivers it again. Names, types and order of the OpenTelemetry Collector's
-- clickhouse exporter (contrib, create_schema: false), so that it can write here. Sorted as the exporter sorts.
create table if not exists {db}.otel_traces (
  Timestamp DateTime64(9) codec(Delta(8), ZSTD(1)) comment 'Start of the span',
  TraceId String codec(ZSTD(1)) comment 'Trace id, 32 lower-case hex digits',
  SpanId String codec(ZSTD(1)) comment 'Span id, 16 lower-case hex digits',
  ParentSpanId String codec(ZSTD(1)) comment 'Span id of the parent, or empty',
  TraceState String codec(ZSTD(1)) comment 'W3C trace state',
  SpanName LowCardinality(String) codec(ZSTD(1)) comment 'Name of the span',
  SpanKind LowCardinality(String) codec(ZSTD(1)) comment 'Internal, Client, Server, Producer, Consumer, Unspecified',
  ServiceName LowCardinality(String) codec(ZSTD(1)) comment 'Resource attribute service.name',
  ResourceAttributes Map(LowCardinality(String), String) codec(ZSTD(1)) comment 'Attributes of the resource, every value as text',
  ScopeName String codec(ZSTD(1)) comment 'Instrumentation scope: who emitted the span',
  ScopeVersion String codec(ZSTD(1)) comment 'Version of the instrumentation scope',
  SpanAttributes Map(LowCardinality(String), String) codec(ZSTD(1)) comment 'Attributes of the span, every value as text',
  Duration UInt64 codec(T64, ZSTD(1)) comment 'Nanoseconds',
  StatusCode LowCardinality(String) codec(ZSTD(1)) comment 'Unset, Ok, Error',
  StatusMessage String codec(ZSTD(1)) comment 'Text of the status',
  Events Nested (
    Timestamp DateTime64(9),
    Name LowCardinality(String),
    Attributes Map(LowCardinality(String), String)
  ) codec(ZSTD(1)) comment 'Events of the span',
  Links Nested (
    TraceId String,
    SpanId String,
    TraceState String,
    Attributes Map(LowCardinality(String), String)
  ) codec(ZSTD(1)) comment 'Links of the span',
  index idx_trace_id TraceId type bloom_filter(0.001) granularity 1,
  index idx_res_attr_key mapKeys(ResourceAttributes) type bloom_filter(0.01) granularity 1,
  index idx_span_attr_key mapKeys(SpanAttributes) type bloom_filter(0.01) granularity 1,
  index idx_duration Duration type minmax granularity 1
) engine = {engine:MergeTree}
partition by toDate(Timestamp)
primary key (ServiceName, SpanName, toDateTime(Timestamp))
order by (ServiceName, SpanName, toDateTime(Timestamp), Timestamp)
ttl toDateTime(Timestamp) + interval {raw_days} day
settings ttl_only_drop_parts = 1
comment 'Landing: spans as delivered';
