-- One row per ExportLogsServiceRequest in OTLP/JSON; nothing is stored here.
create table if not exists {db}.otlp_json_logs_in (
  resourceLogs Array(Tuple(
    resource Tuple(attributes Array(Tuple(key String, value Tuple(stringValue Nullable(String), boolValue Nullable(Bool), intValue Nullable(String), doubleValue Nullable(Float64), arrayValue Nullable(String))))),
    scopeLogs Array(Tuple(
      scope Tuple(name String, version String, attributes Array(Tuple(key String, value Tuple(stringValue Nullable(String), boolValue Nullable(Bool), intValue Nullable(String), doubleValue Nullable(Float64), arrayValue Nullable(String))))),
      logRecords Array(Tuple(
        timeUnixNano String, severityNumber String, severityText String, body Tuple(stringValue Nullable(String), boolValue Nullable(Bool), intValue Nullable(String), doubleValue Nullable(Float64), arrayValue Nullable(String)), attributes Array(Tuple(key String, value Tuple(stringValue Nullable(String), boolValue Nullable(Bool), intValue Nullable(String), doubleValue Nullable(Float64), arrayValue Nullable(String)))),
        flags UInt32, traceId String, spanId String, observedTimeUnixNano String, eventName String)),
      schemaUrl String)),
    schemaUrl String))
    comment 'The request, field names as in the protocol'
) engine = Null
comment 'Door: OTLP log requests in JSON';
