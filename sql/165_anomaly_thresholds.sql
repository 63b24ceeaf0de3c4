-- One row per preset and rule: beyond which value the rule fires. An owner's row (origin 'user') with the same preset and rule replaces a
-- shipped one, and survives upgrades.
create table if not exists {db}.anomaly_thresholds (
  preset LowCardinality(String) comment 'quiet, balanced or sensitive',
  rule LowCardinality(String) comment 'Rule of the anomalies',
  threshold Float64 comment 'The rule fires above it',
  origin LowCardinality(String) default 'spanledger' comment 'spanledger, or user: the owner''s, which is taken first',
  changed_at DateTime64(3, 'UTC') default now64(3) comment 'When it was set'
) engine = {engine:ReplacingMergeTree(changed_at)}
order by (preset, rule, origin)
comment 'Thresholds of the anomaly rules; read with FINAL';
