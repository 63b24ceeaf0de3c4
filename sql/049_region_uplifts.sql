-- One row per provider, kind of region and pattern of models that cost more there than the price book says. It is laid on token prices only
-- where the book has no price of its own for the region, so nothing is raised twice.
create table if not exists {db}.region_uplifts (
  provider LowCardinality(String) comment 'Provider id of the price book',
  region LowCardinality(String) comment 'us, eu: that geography; regional: any other region that is named and not global',
  model String comment 'Model id of the price book, or a pattern with * and ?',
  percent Decimal(12, 6) comment 'Put on the price per token',
  valid_from DateTime('UTC') comment 'First second of validity',
  note String comment 'How this is known',
  origin LowCardinality(String) comment 'spanledger or user'
) engine = {engine:ReplacingMergeTree}
order by (provider, region, model, valid_from)
comment 'What some regions cost more';
