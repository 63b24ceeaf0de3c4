-- One row per incident that somebody judged; the newest word counts (FINAL).
create table if not exists {db}.incident_feedback (
  incident_id String comment 'Incident',
  verdict LowCardinality(String) comment 'expected: not a fault, do not tell again; real: it was; empty: taken back',
  note String comment 'Why',
  said_by LowCardinality(String) comment 'Who said so',
  said_at DateTime64(3, 'UTC') default now64(3) comment 'When'
) engine = {engine:ReplacingMergeTree(said_at)}
order by incident_id
comment 'What people say of incidents; read with FINAL';
