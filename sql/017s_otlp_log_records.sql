-- One row per log record that came through a door, not yet checked; nothing is stored here. What is possible goes to otel_logs, what is
-- not goes to quarantined_spans.
create table if not exists {db}.otlp_log_records (
  time_ns UInt64 comment 'Time of the record, or when it was observed, nanoseconds since 1970',
  TraceId String comment 'Trace id, hex, or empty',
  SpanId String comment 'Span id, hex, or empty',
  TraceFlags UInt8 comment 'W3C trace flags',
  SeverityText String comment 'Severity as text',
  SeverityNumber UInt8 comment 'Severity as a number, 1 to 24',
  Body String comment 'Body of the record as text',
  ResourceSchemaUrl String comment 'Schema of the resource',
  ResourceAttributes Map(LowCardinality(String), String) comment 'Attributes of the resource',
  ScopeSchemaUrl String comment 'Schema of the scope',
  ScopeName String comment 'Instrumentation scope',
  ScopeVersion String comment 'Version of the scope',
  ScopeAttributes Map(LowCardinality(String), String) comment 'Attributes of the scope',
  LogAttributes Map(LowCardinality(String), String) comment 'Attributes of the record',
  EventName String comment 'Name of the event, or empty',
  CredentialTenant String comment 'Tenant of the credential; empty: the sender says it itself',
  Request UInt64 comment 'Number of the request',
  impossible String alias multiIf(
    time_ns < toUInt64(toUnixTimestamp(now() - interval {calls_days} day + interval 1 day)) * 1000000000, 'is of a time before the ledger''s retention',
    time_ns > toUInt64(toUnixTimestamp(now() + interval 1 day)) * 1000000000, 'is of a time more than a day in the future',
    '') comment 'Why the record cannot be booked; empty if it can'
) engine = Null
comment 'Junction: log records from the doors';
