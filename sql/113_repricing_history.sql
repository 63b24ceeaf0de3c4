-- One row per change of prices that came into force and changed the cost of a month x tenant x team x provider x model.
create or replace view {db}.repricing_history (
  book_to UInt32 comment 'Price book that came into force',
  book_from UInt32 comment 'Price book before it',
  at DateTime64(3, 'UTC') comment 'When',
  who String comment 'Who did it; a version of the price list, where it came by itself',
  why String comment 'What was changed, and the note that was given',
  month Date comment 'Month of the calls, in the reporting time zone',
  tenant LowCardinality(String) comment 'Tag',
  team LowCardinality(String) comment 'Tag',
  provider LowCardinality(String) comment 'Provider in the price book',
  model LowCardinality(String) comment 'Model in the price book',
  calls UInt64 comment 'Calls whose price or state changed',
  input_tokens UInt64 comment 'Their input',
  output_tokens UInt64 comment 'Their output',
  newly_priced_calls UInt64 comment 'Calls of them whose cost was unknown and is known now',
  newly_unknown_calls UInt64 comment 'Calls of them whose cost was known and is not any more',
  old_usd Decimal(38, 24) comment 'Their known cost before, USD',
  new_usd Decimal(38, 24) comment 'Their known cost after, USD',
  delta_usd Decimal(38, 24) comment 'After minus before, USD'
) as
select
  book_to, book_from, at, who, why, month, tenant, team, provider, model, calls, input_tokens, output_tokens, newly_priced_calls, newly_unknown_calls, old_usd, new_usd, delta_usd
from {db}.repricings
where book_to in (select book from {db}.price_books)
comment 'What each change of prices did to the costs';
