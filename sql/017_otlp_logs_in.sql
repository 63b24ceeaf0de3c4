-- One row per ExportLogsServiceRequest (or several one after the other) in protobuf; nothing is stored here.
create table if not exists {db}.otlp_logs_in (
  resource_logs Array(Tuple(
    resource Tuple(attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64), array_value Tuple(values Array(Tuple(string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64)))))))),
    scope_logs Array(Tuple(
      scope Tuple(name String, version String, attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64), array_value Tuple(values Array(Tuple(string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64)))))))),
      log_records Array(Tuple(
        time_unix_nano UInt64, severity_number Int32, severity_text String, body Tuple(string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64), array_value Tuple(values Array(Tuple(string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64))))), attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64), array_value Tuple(values Array(Tuple(string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64))))))),
        flags UInt32, trace_id String, span_id String, observed_time_unix_nano UInt64, event_name String)),
      schema_url String)),
    schema_url String))
    comment 'The request, field names as in the protocol'
) engine = Null
comment 'Door: OTLP log requests in protobuf';
