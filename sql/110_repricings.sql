-- One row per price book that changed history x month x tenant x team x provider x model: what the change did to their known cost. For each of
-- these groups, the sum of delta_usd is exactly what the costs changed by. Written before the book is in force: see repricing_history.
create table if not exists {db}.repricings (
  book_to UInt32 comment 'Price book that came into force',
  book_from UInt32 comment 'Price book before it',
  at DateTime64(3, 'UTC') comment 'When',
  who String comment 'Who did it; a version of the price list, where it came by itself',
  why String comment 'What was changed, and the note that was given',
  month Date comment 'Month of the calls, in the reporting time zone',
  tenant LowCardinality(String) comment 'Tag',
  team LowCardinality(String) comment 'Tag',
  provider LowCardinality(String) comment 'Provider in the price book; calls that moved to another model are on both',
  model LowCardinality(String) comment 'Model in the price book',
  calls UInt64 comment 'Calls whose price or state changed',
  input_tokens UInt64 comment 'Their input',
  output_tokens UInt64 comment 'Their output',
  newly_priced_calls UInt64 comment 'Calls of them whose cost was unknown and is known now',
  newly_unknown_calls UInt64 comment 'Calls of them whose cost was known and is not any more',
  old_usd Decimal(38, 24) comment 'Their known cost before, USD',
  new_usd Decimal(38, 24) comment 'Their known cost after, USD',
  delta_usd Decimal(38, 24) comment 'After minus before, USD'
) engine = {engine:MergeTree}
order by (book_to, month, tenant, team, provider, model)
comment 'Audit of re-pricing; append only';
