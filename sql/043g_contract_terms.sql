-- One row per discount or commitment of a contract: what it takes off the price that everybody pays. A correction is a new row. At any time
-- the most specific term counts (a model before a pattern, a pattern before a provider, one meter before all), of equal ones the newest.
create table if not exists {db}.contract_terms (
  created_at DateTime64(3, 'UTC') comment 'When it was set; also its rank: newer beats older',
  contract LowCardinality(String) comment 'Contract that it belongs to',
  kind LowCardinality(String) comment 'discount: percent off; commitment: paid for in advance, so that the single call costs nothing more',
  provider LowCardinality(String) comment 'Provider id of the price book; empty: all',
  model String comment 'Model id of the price book, or a pattern with * and ?; empty: all',
  meter LowCardinality(String) comment 'Column of rates; empty: all',
  percent Decimal(12, 6) comment 'Taken off the price; below 0: put on it; 0: the price that everybody pays',
  valid_from DateTime('UTC') comment 'First second of validity; on a quarter of an hour',
  valid_to DateTime('UTC') comment 'First second after it',
  note String comment 'Why',
  created_by String comment 'Who'
) engine = {engine:MergeTree}
order by (contract, created_at)
comment 'Discounts and commitments of contracts; append only';
