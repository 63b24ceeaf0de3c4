-- One row per book x contract x provider x model x context x span of validity: WHICH rate applies. Ranges of one key never overlap.
-- The four arrays are aligned: candidates by input size and minute of the day, the LAST that matches wins. Sorted as it is looked up.
create table if not exists {db}.rate_segments (
  book UInt32 comment 'Price book that the row belongs to',
  contract LowCardinality(String) comment 'Contract with its own prices; empty = list prices and general overrides',
  provider LowCardinality(String) comment 'Provider id of the price book',
  model LowCardinality(String) comment 'Model id of the price book',
  context LowCardinality(String) comment 'What the price depends on besides the model, e.g. processing=batch, service_tier=flex; empty = standard',
  valid_from DateTime('UTC') comment 'First second of validity; always on a quarter of an hour',
  valid_to DateTime('UTC') comment 'First second after it',
  above_tokens Array(UInt32) comment 'Candidate applies to calls with more input tokens than this (0: any)',
  from_minute Array(UInt16) comment 'Candidate applies from this minute of the UTC day',
  to_minute Array(UInt16) comment 'Candidate applies until before this minute of the UTC day (1440: end)',
  rate_ids Array(UInt32) comment 'The candidates'' rates',
  constraint aligned check length(rate_ids) = length(above_tokens) and length(rate_ids) = length(from_minute) and length(rate_ids) = length(to_minute),
  constraint quarter_hours check valid_from = toStartOfFifteenMinutes(valid_from) and valid_to > valid_from
) engine = {engine:MergeTree}
order by (book, contract, provider, model, context, valid_from)
comment 'Which rate is valid when, for whom and for what size of call; append only';
