-- One row per election that was held: up to where in the queue everything is judged. The highest position counts.
create table if not exists {db}.elections (
  held_at DateTime64(3, 'UTC') comment 'When it was recorded',
  due_to DateTime64(3, 'UTC') comment 'Position in the queue: time when due',
  trace_to FixedString(16) comment 'Position in the queue among those due at one time: trace',
  traces UInt64 comment 'Traces of the slice, rivals elsewhere included'
) engine = {engine:MergeTree}
order by (due_to, trace_to)
ttl toDateTime(held_at) + interval 30 day
comment 'Elections that were held';
