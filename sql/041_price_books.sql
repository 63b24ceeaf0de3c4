-- One row per compiled price book: the learned-at side of the bitemporal price list. The highest book is in force;
-- older ones stay, so that what was believed on any day can be read back.
create table if not exists {db}.price_books (
  book UInt32 comment 'Number of the book, from 1',
  learned_at DateTime64(3, 'UTC') comment 'When this ledger learned it',
  source LowCardinality(String) comment 'genai-prices, with overrides if there are any',
  source_version String comment 'Version of the list',
  segments UInt32 comment 'Rows of rate_segments in this book, all written before this row',
  overrides UInt32 comment 'Overrides compiled into it',
  note String comment 'Who or what caused it'
) engine = {engine:ReplacingMergeTree(learned_at)}
order by book
comment 'Compiled price books; a row here makes its segments valid';
