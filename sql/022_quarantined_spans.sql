-- One row per delivered span that cannot be booked, whole, with the reason. Sorted by arrival: it is read newest first.
create table if not exists {db}.quarantined_spans (
  received_at DateTime64(3, 'UTC') default now64(3) comment 'When it came',
  reason LowCardinality(String) comment 'Why it cannot be booked',
  start_ns UInt64 comment 'Start, nanoseconds since 1970, as delivered',
  end_ns UInt64 comment 'End, nanoseconds since 1970, as delivered',
  trace_id String comment 'Trace id, hex, as delivered',
  span_id String comment 'Span id, hex, as delivered',
  parent_span_id String comment 'Parent span id, hex, as delivered',
  span_name String comment 'Name of the span',
  service LowCardinality(String) comment 'Resource attribute service.name',
  resource_attributes Map(LowCardinality(String), String) comment 'Attributes of the resource',
  scope_name LowCardinality(String) comment 'Instrumentation scope',
  scope_version LowCardinality(String) comment 'Version of the scope',
  span_attributes Map(LowCardinality(String), String) comment 'Attributes of the span',
  status_code LowCardinality(String) comment 'Unset, Ok, Error'
) engine = {engine:MergeTree}
order by received_at
ttl toDateTime(received_at) + interval {raw_days} day
comment 'Spans kept aside, with the reason';
