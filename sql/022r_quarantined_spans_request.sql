-- What a second try needs, besides what was kept from the beginning; log records that cannot be are kept here too.
alter table {db}.quarantined_spans
  add column if not exists request UInt64 comment 'Number of the request that it came in; 0: before there were numbers',
  add column if not exists tenant LowCardinality(String) comment 'Tenant of the credential that it came with; empty: the sender says it itself',
  add column if not exists signal LowCardinality(String) default 'traces' comment 'traces: a span; logs: a log record',
  add column if not exists span_kind LowCardinality(String) comment 'Internal, Client, Server, Producer, Consumer, Unspecified',
  add column if not exists trace_state String comment 'W3C trace state',
  add column if not exists status_message String comment 'Text of the status',
  add column if not exists body String comment 'Body of the log record as text',
  add column if not exists event_names Array(String) comment 'Names of the events of the span',
  add column if not exists event_times Array(DateTime64(9)) comment 'Times of the events of the span',
  add column if not exists event_attributes Array(Map(LowCardinality(String), String)) comment 'Attributes of the events of the span';
