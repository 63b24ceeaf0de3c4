-- One row per finished task: how it ended. The newest word wins.
create table if not exists {db}.task_outcomes (
  task_id String comment 'Joins genai_calls.task_id', task LowCardinality(String) comment 'Kind of task', outcome LowCardinality(String) comment 'How it ended, in the application''s words',
  ended_at DateTime64(6, 'UTC') comment 'When it was said', service LowCardinality(String) comment 'Who said it'
) engine = {engine:ReplacingMergeTree(ended_at)}
order by task_id
ttl toDateTime(ended_at) + interval {calls_days} day
comment 'Outcomes of tasks';
