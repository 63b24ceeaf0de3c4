-- One row per hour of a table that was read into the ledger: a backfill that is stopped goes on where it was. Sorted as it is looked up.
create table if not exists {db}.backfills (
  source LowCardinality(String) comment 'Table that was read',
  generation UInt8 comment 'Number of the reading; 0: the first',
  hour DateTime('UTC') comment 'Hour of the spans'' start; 1970: the whole reading is done',
  spans UInt64 comment 'Spans that the hour had then',
  finished_at DateTime64(3, 'UTC') default now64(3) comment 'When it was read'
) engine = {engine:ReplacingMergeTree(finished_at)}
order by (source, generation, hour)
comment 'What backfills have read';
