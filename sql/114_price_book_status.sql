-- One row: which price book is in force, how old its list is, and how much it does not know. A list older than 30 days is stale.
create or replace view {db}.price_book_status (
  book UInt32 comment 'Price book in force; 0: none',
  source String comment 'What it was made of',
  source_version String comment 'Version of the price list',
  learned_at DateTime64(3, 'UTC') comment 'When the book came into force',
  list_learned_at DateTime64(3, 'UTC') comment 'When this ledger first used this version of the list',
  list_age_days UInt32 comment 'Days since this ledger first used this version of the list',
  stale UInt8 comment '1: the list is older than 30 days; prices may have changed',
  overrides UInt32 comment 'Prices of the owner''s own in it',
  unpriced_models UInt64 comment 'Models of the last 30 days that have no price',
  unpriced_calls UInt64 comment 'Their calls'
) as
select
  b.book, b.source, b.source_version, b.learned_at, b.list_learned_at,
  toUInt32(greatest(dateDiff('day', b.list_learned_at, now64(3, 'UTC')), 0)) as list_age_days, list_age_days > 30 as stale, b.overrides,
  (select uniqExact(provider, model) from {db}.costs where completeness = 'unpriced_model' and bucket > now('UTC') - interval 30 day) as unpriced_models,
  (select sum(calls) from {db}.costs where completeness = 'unpriced_model' and bucket > now('UTC') - interval 30 day) as unpriced_calls
from (
  select
    max(p.book) as book, argMax(p.source, p.book) as source, argMax(p.source_version, p.book) as source_version, argMax(p.learned_at, p.book) as learned_at,
    argMax(p.overrides, p.book) as overrides,
    minIf(p.learned_at, p.source_version = (select argMax(source_version, book) from {db}.price_books)) as list_learned_at
  from {db}.price_books as p) as b
comment 'State of the price book';
