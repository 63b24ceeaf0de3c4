-- One row per request that could not be read, as it came, with the reason. Sorted by arrival: it is read newest first.
create table if not exists {db}.quarantined_requests (
  received_at DateTime64(3, 'UTC') default now64(3) comment 'When it came',
  request UInt64 comment 'Number of the request',
  signal LowCardinality(String) comment 'traces, logs or metrics',
  encoding LowCardinality(String) comment 'protobuf or json',
  coding LowCardinality(String) comment 'How the body is packed: gzip, deflate or zstd, where it could not be unpacked; else empty',
  tenant LowCardinality(String) comment 'Tenant of the credential that it came with; empty: the sender says it itself',
  reason String comment 'Why it cannot be read',
  bytes UInt64 comment 'Size of the body',
  digest FixedString(64) comment 'SHA-256 of the body, hexadecimal: a request that comes again is kept once',
  body String codec(ZSTD(3)) comment 'The body; of a large one the beginning'
) engine = {engine:MergeTree}
order by received_at
ttl toDateTime(received_at) + interval {raw_days} day
comment 'Requests kept aside, with the reason';
