-- One row per book and rule that says whose calls fall under which contract, the rule that counts first: compiled from contract_assignments.
create table if not exists {db}.contract_rules (
  book UInt32 comment 'Price book that the row belongs to',
  place UInt16 comment 'Order of trying: the most specific rule first',
  contract LowCardinality(String) comment 'Contract that the calls fall under',
  tenant String comment 'Only calls of this tenant; empty: any',
  provider String comment 'Only of this provider of the price book; empty: any',
  account String comment 'Only of this account at the provider; empty: any',
  deployment String comment 'Only of this deployment (model as delivered); empty: any',
  environment String comment 'Only of this environment; empty: any',
  service String comment 'Only of this service; empty: any',
  valid_from DateTime('UTC') comment 'First second of validity; on a quarter of an hour',
  valid_to DateTime('UTC') comment 'First second after it'
) engine = {engine:MergeTree}
order by (book, place)
comment 'Which calls fall under which contract; append only';
