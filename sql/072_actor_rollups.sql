-- for each: grain = minute, hour
-- One row per {grain}, tenant, user and session: the narrow rollup for the two dimensions that have many values. Made like cost_{grain}s.
create table if not exists {db}.actor_{grain}s (
  bucket DateTime('UTC') comment 'Start of the {grain}, in the reporting time zone',
  tenant LowCardinality(String) comment 'Tag', user String codec(ZSTD(1)) comment 'Tag: end user', session String codec(ZSTD(1)) comment 'Tag: session',
  calls UInt64 codec(T64, ZSTD(1)) comment 'Billed calls', input_tokens UInt64 codec(T64, ZSTD(1)) comment 'All input', output_tokens UInt64 codec(T64, ZSTD(1)) comment 'All output',
  known_usd Decimal(38, 24) codec(ZSTD(1)) comment 'Exact cost of the calls whose cost is known',
  unknown_calls UInt64 codec(T64, ZSTD(1)) comment 'Calls whose cost is not known', unknown_tokens UInt64 codec(T64, ZSTD(1)) comment 'Their tokens',
  run_at DateTime64(3, 'UTC') comment 'Start of the run that made the row'
) engine = {engine:ReplacingMergeTree(run_at)}
partition by {partition}(bucket)
order by (bucket, tenant, user, session)
ttl bucket + interval {keep}
comment 'Cost per {grain} and actor; read with FINAL, or through the views';
