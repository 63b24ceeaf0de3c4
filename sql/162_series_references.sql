-- One row per hour and series: what was normal for it, from the seven days before. Made once an hour from spend_buckets; the rules compare
-- the minutes that follow with it. Sorted by hour: a detection reads one.
create table if not exists {db}.series_references (
  at DateTime('UTC') comment 'Hour that it is made for',
  series UInt64 comment 'Hash of dimension and names',
  dimension LowCardinality(String) comment 'all, tenant, feature, model or user',
  names Array(String) comment 'Values of the dimension: tenant; team and feature; provider and model; tenant and user',
  days Float32 comment 'Days of history before the hour, at most 9',
  hour_usd Float64 comment 'Mean USD an hour, 7 days',
  hour_calls Float64 comment 'Mean calls an hour, 7 days',
  usd_1h_max Float64 comment 'Highest USD in an hour',
  usd_6h_q99 Float64 comment 'USD in 6 hours, 99th percentile',
  prices Array(Float64) comment 'USD a token in an hour, 6 hours, 24 hours, 90th percentile; 0: too few calls',
  tokens_6h_q95 Float64 comment 'Tokens a call in 6 hours, 95th percentile; 0: too few calls',
  tokens_24h_q95 Float64 comment 'Tokens a call in 24 hours, 95th percentile; 0: too few calls',
  unit_24h_q95 Float64 comment 'USD a call in 24 hours, 95th percentile; 0: too few calls',
  cached Array(Float64) comment 'Cached share of the input in an hour, 6 hours, 24 hours, 2nd percentile; 0: too few calls',
  attempts_q95 Float64 comment 'Attempts a call in an hour, 95th percentile; 0: too few calls',
  session_max Float64 comment 'Most calls of one session in ten minutes',
  repeated Float64 comment 'Share of calls in an hour that repeat a prompt, 99th percentile; -1: too few calls',
  largest_max Float64 comment 'Dearest call, USD',
  calls_6h_min Float64 comment 'Fewest calls in 6 hours at this time of day',
  prompt_chars Float64 comment 'Characters of system prompt and tools a call, last 24 hours; 0: not measured',
  fingerprints Array(UInt64) comment 'System prompts that most calls of some ten minutes had',
  creep Float64 comment 'Mann-Kendall S of USD or tokens a call over 7 days, if it creeps: 2 % a day or more, steadily; else 0',
  made_at DateTime64(3, 'UTC') default now64(3) comment 'When the row was written'
) engine = {engine:ReplacingMergeTree(made_at)}
partition by toYYYYMMDD(at)
order by (at, series)
ttl at + interval 3 day
comment 'What is normal for each series, by the hour';
