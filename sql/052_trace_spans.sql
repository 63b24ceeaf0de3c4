-- The election's index: one narrow row per span of any kind, so that the chain of parents is whole. Sorted by trace, because
-- a trace is what is judged; small granules, because it is read in small pieces.
create table if not exists {db}.trace_spans (
  trace_id FixedString(16) comment 'Trace id', span_id UInt64 comment 'Span id as a number', ts DateTime64(6, 'UTC') comment 'Start', end_ts DateTime64(6, 'UTC') comment 'End',
  parent_span_id UInt64 comment 'Parent as a number; 0: none', role LowCardinality(String) comment 'call, wrapper or link',
  tenant LowCardinality(String) comment 'Tag', team LowCardinality(String) comment 'Tag', feature LowCardinality(String) comment 'Tag', user String comment 'Tag',
  session String comment 'Tag', task LowCardinality(String) comment 'Tag', task_id String comment 'Tag', agent LowCardinality(String) comment 'Tag', agent_step LowCardinality(String) comment 'Tag',
  response_key UInt64 comment 'Hash of the response id; 0: none', id_unique UInt8 comment 'The response id is long enough never to collide',
  has_usage UInt8 comment 'Reports token counts', output_tokens UInt32 comment 'All output', gateway UInt8 comment 'Delivered with a gateway''s credential',
  known_at DateTime64(6, 'UTC') comment 'The span''s end, or its arrival if that was earlier (a clock ahead): the grace of a wrapper starts here'
) engine = {engine:ReplacingMergeTree}
partition by toYYYYMM(ts)
order by (trace_id, span_id, ts)
ttl toDateTime(ts) + interval {calls_days} day
settings index_granularity = 512, ttl_only_drop_parts = 1
comment 'Spans by trace, for the election';
