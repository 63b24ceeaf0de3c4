-- One row per ten minutes, part and its dimensions: what the anomaly rules look at. A cell has tenant, team, feature, service, provider and
-- model; an actor has tenant, user, provider and model. Made again whole per bucket whenever one of its calls changed; the newest run wins
-- (FINAL), and a row that vanished stays as zeros. Sorted by time first: the rules read the last day, and references the last nine.
create table if not exists {db}.spend_buckets (
  bucket DateTime('UTC') comment 'Start of the ten minutes',
  part LowCardinality(String) comment 'cell (all calls), actor (those with a user, again); empty: says that the bucket was made',
  tenant LowCardinality(String) comment 'Tag: whose money it is',
  team LowCardinality(String) comment 'Tag: who spends it; empty for actors',
  feature LowCardinality(String) comment 'Tag: what for; empty for actors',
  service LowCardinality(String) comment 'service.name; empty for actors',
  provider LowCardinality(String) comment 'Provider in the price book',
  model LowCardinality(String) comment 'Model in the price book, or as delivered',
  user String codec(ZSTD(1)) comment 'Tag: end user; empty for cells',
  calls UInt64 codec(T64, ZSTD(1)) comment 'Billed calls',
  unknown_calls UInt64 codec(T64, ZSTD(1)) comment 'Those whose cost is not known',
  priced_calls UInt64 codec(T64, ZSTD(1)) comment 'Those with an exact price: tokens and USD below are theirs',
  errors UInt64 codec(T64, ZSTD(1)) comment 'Calls that ended in an error',
  attempts UInt64 codec(T64, ZSTD(1)) comment 'HTTP attempts, silent retries included',
  uncached_tokens UInt64 codec(T64, ZSTD(1)) comment 'Input of priced calls that is not cached',
  cache_read_tokens UInt64 codec(T64, ZSTD(1)) comment 'Input of priced calls read from the cache',
  cache_write_tokens UInt64 codec(T64, ZSTD(1)) comment 'Input of priced calls written to the cache',
  output_tokens UInt64 codec(T64, ZSTD(1)) comment 'Output of priced calls, reasoning included',
  uncached_usd Decimal(38, 24) codec(ZSTD(1)) comment 'What the uncached input cost',
  cache_read_usd Decimal(38, 24) codec(ZSTD(1)) comment 'What reading the cache cost',
  cache_write_usd Decimal(38, 24) codec(ZSTD(1)) comment 'What writing the cache cost',
  output_usd Decimal(38, 24) codec(ZSTD(1)) comment 'What the output cost',
  other_usd Decimal(38, 24) codec(ZSTD(1)) comment 'What is charged per request or search',
  known_usd Decimal(38, 24) codec(ZSTD(1)) comment 'Exact cost of the calls whose cost is known: the sum of the five',
  largest_usd Decimal(38, 24) codec(ZSTD(1)) comment 'The dearest call',
  measured_calls UInt64 codec(T64, ZSTD(1)) comment 'Calls whose prompt the SDK measured',
  system_chars UInt64 codec(T64, ZSTD(1)) comment 'Characters of their system prompts and tool definitions',
  system_fingerprint UInt64 codec(ZSTD(1)) comment 'System prompt of most calls; 0: none known',
  system_fingerprint_calls UInt64 codec(T64, ZSTD(1)) comment 'How many calls had it',
  session_calls_max UInt64 codec(T64, ZSTD(1)) comment 'Most calls of one session',
  repeated_calls UInt64 codec(T64, ZSTD(1)) comment 'Calls with a prompt that the same session or user had sent in the same ten minutes',
  run_at DateTime64(3, 'UTC') comment 'Start of the run that made the row'
) engine = {engine:ReplacingMergeTree(run_at)}
partition by toYYYYMMDD(bucket)
order by (bucket, part, tenant, team, feature, service, provider, model, user)
ttl bucket + interval {calls_days} day
settings ttl_only_drop_parts = 1
comment 'Drivers of cost per ten minutes; read with FINAL';
