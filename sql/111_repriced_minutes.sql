-- One row per price book and minute with calls that it prices otherwise: what must be summed again once it is in force. Kept, so that a
-- process that is killed in between can go on at its next start.
create table if not exists {db}.repriced_minutes (
  book UInt32 comment 'Price book',
  minute DateTime('UTC') comment 'Start of the minute',
  written_at DateTime64(3, 'UTC') default now64(3) comment 'When the row was written'
) engine = {engine:ReplacingMergeTree}
order by (book, minute)
ttl toDateTime(written_at) + interval 30 day
comment 'Minutes that a price book changes';
