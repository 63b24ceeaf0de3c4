-- One row per planned event: what happens in its time and place opens no incident. An event that is cancelled gets a row with cancelled 1.
create table if not exists {db}.planned_events (
  event_id String comment 'Hash of what was planned',
  starts_at DateTime('UTC') comment 'From',
  ends_at DateTime('UTC') comment 'Until',
  dimension LowCardinality(String) comment 'all, tenant, feature, model or user: what it concerns',
  name String comment 'Value of the dimension; empty: everything',
  note String comment 'What is planned',
  planned_by LowCardinality(String) comment 'Who planned it',
  cancelled UInt8 comment '1: it was called off',
  planned_at DateTime64(3, 'UTC') default now64(3) comment 'When it was written'
) engine = {engine:ReplacingMergeTree(planned_at)}
order by event_id
comment 'What is expected to cost more for a time; read with FINAL';
