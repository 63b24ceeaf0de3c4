-- One row per rule that puts calls under a contract. A correction is a new row: of rules for the same calls the newest counts, within its
-- time; an empty contract takes them out of any.
create table if not exists {db}.contract_assignments (
  created_at DateTime64(3, 'UTC') comment 'When it was set; also its rank: newer beats older',
  contract LowCardinality(String) comment 'Contract that the calls fall under; empty: none',
  tenant String comment 'Only calls of this tenant; empty: any',
  provider String comment 'Only of this provider of the price book; empty: any',
  account String comment 'Only of this account at the provider; empty: any',
  deployment String comment 'Only of this deployment (model as delivered); empty: any',
  environment String comment 'Only of this environment; empty: any',
  service String comment 'Only of this service; empty: any',
  valid_from DateTime('UTC') comment 'First second of validity; on a quarter of an hour',
  valid_to DateTime('UTC') comment 'First second after it',
  note String comment 'Why',
  created_by String comment 'Who'
) engine = {engine:MergeTree}
order by created_at
comment 'Whose calls fall under which contract; append only';
