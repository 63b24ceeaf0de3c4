-- One row per minute that needs its rollups made again. An hour is dirty when one of its minutes is.
create table if not exists {db}.dirty_minutes (
  minute DateTime('UTC') comment 'Start of the minute', marked_at DateTime64(3, 'UTC') comment 'When it changed last'
) engine = {engine:ReplacingMergeTree(marked_at)}
order by minute
comment 'Minutes whose rollups are out of date, and when they became so';
