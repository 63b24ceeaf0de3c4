-- One row per ExportTraceServiceRequest in OTLP/JSON; nothing is stored here. INSERT ... FORMAT JSONEachRow.
create table if not exists {db}.otlp_json_traces_in (
  resourceSpans Array(Tuple(
    resource Tuple(attributes Array(Tuple(key String, value Tuple(stringValue Nullable(String), boolValue Nullable(Bool), intValue Nullable(String), doubleValue Nullable(Float64), arrayValue Nullable(String))))),
    scopeSpans Array(Tuple(
      scope Tuple(name String, version String),
      spans Array(Tuple(
        traceId String, spanId String, traceState String, parentSpanId String, name String, kind String,
        startTimeUnixNano String, endTimeUnixNano String,
        attributes Array(Tuple(key String, value Tuple(stringValue Nullable(String), boolValue Nullable(Bool), intValue Nullable(String), doubleValue Nullable(Float64), arrayValue Nullable(String)))),
        events Array(Tuple(timeUnixNano String, name String, attributes Array(Tuple(key String, value Tuple(stringValue Nullable(String), boolValue Nullable(Bool), intValue Nullable(String), doubleValue Nullable(Float64), arrayValue Nullable(String)))))),
        links Array(Tuple(traceId String, spanId String, traceState String, attributes Array(Tuple(key String, value Tuple(stringValue Nullable(String), boolValue Nullable(Bool), intValue Nullable(String), doubleValue Nullable(Float64), arrayValue Nullable(String)))))),
        status Tuple(message String, code String)))))))
    comment 'The request, field names as in the protocol'
) engine = Null
comment 'Door: OTLP trace requests in JSON';
