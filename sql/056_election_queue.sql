-- One row per insert and trace: what the next election judges. Sorted by arrival.
create table if not exists {db}.election_queue (
  marked_at DateTime64(3, 'UTC') comment 'When spans of the trace arrived', trace_id FixedString(16) comment 'Trace to judge'
) engine = {engine:MergeTree}
order by marked_at
ttl toDateTime(marked_at) + interval 1 day
comment 'Traces that wait for the election';
