-- One row per delivered log record, in the schema of the Collector's clickhouse exporter (contrib 0.151 and later).
create table if not exists {db}.otel_logs (
  Timestamp DateTime64(9) codec(Delta(8), ZSTD(1)) comment 'Time of the record, or when it was observed',
  TraceId String codec(ZSTD(1)) comment 'Trace id, 32 lower-case hex digits, or empty',
  SpanId String codec(ZSTD(1)) comment 'Span id, 16 lower-case hex digits, or empty',
  TraceFlags UInt8 comment 'W3C trace flags',
  SeverityText LowCardinality(String) codec(ZSTD(1)) comment 'Severity as text',
  SeverityNumber UInt8 comment 'Severity as a number, 1 to 24',
  ServiceName LowCardinality(String) codec(ZSTD(1)) comment 'Resource attribute service.name',
  Body String codec(ZSTD(1)) comment 'Body of the record as text',
  ResourceSchemaUrl LowCardinality(String) codec(ZSTD(1)) comment 'Schema of the resource',
  ResourceAttributes Map(LowCardinality(String), String) codec(ZSTD(1)) comment 'Attributes of the resource',
  ScopeSchemaUrl LowCardinality(String) codec(ZSTD(1)) comment 'Schema of the scope',
  ScopeName String codec(ZSTD(1)) comment 'Instrumentation scope',
  ScopeVersion LowCardinality(String) codec(ZSTD(1)) comment 'Version of the scope',
  ScopeAttributes Map(LowCardinality(String), String) codec(ZSTD(1)) comment 'Attributes of the scope',
  LogAttributes Map(LowCardinality(String), String) codec(ZSTD(1)) comment 'Attributes of the record, every value as text',
  EventName String codec(ZSTD(1)) comment 'Name of the event, or empty',
  index idx_trace_id TraceId type bloom_filter(0.001) granularity 1,
  index idx_log_attr_key mapKeys(LogAttributes) type bloom_filter(0.01) granularity 1
) engine = {engine:MergeTree}
partition by toDate(Timestamp)
primary key (ServiceName, toDateTime(Timestamp))
order by (ServiceName, toDateTime(Timestamp), Timestamp)
ttl toDateTime(Timestamp) + interval {raw_days} day
settings ttl_only_drop_parts = 1
comment 'Landing: log records as delivered';
