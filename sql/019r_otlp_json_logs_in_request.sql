-- What the collector adds to each log request: whose credential it came with, and its number.
alter table {db}.otlp_json_logs_in
  add column if not exists tenant String comment 'Tenant of the credential; empty: the sender says it itself',
  add column if not exists request UInt64 comment 'Number of the request';
