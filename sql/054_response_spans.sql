-- One row per response id and trace that mentions it: finds the traces that may speak of the same provider response.
create table if not exists {db}.response_spans (
  response_key UInt64 comment 'Hash of the response id', trace_id FixedString(16) comment 'Trace that mentions it', day Date comment 'Day of the span'
) engine = {engine:ReplacingMergeTree}
partition by toYYYYMM(day)
order by (response_key, trace_id, day)
ttl day + interval {calls_days} day
settings index_granularity = 512, ttl_only_drop_parts = 1
comment 'Traces by response id, for the election';
