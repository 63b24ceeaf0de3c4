-- One row per attribute name that means something to the ledger: which field it fills, and how strongly. This table is the one
-- place where names are mapped; a user's `cost_center` becomes our `team` by one inserted row (origin user).
create table if not exists {db}.attribute_names (
  name String comment 'Attribute of a span or a resource, as delivered',
  field LowCardinality(String) comment 'Field of the ledger that it fills',
  rank UInt8 comment 'The lowest rank that is present wins; a resource attribute counts 100 more',
  origin LowCardinality(String) comment 'Convention that uses the name, or user'
) engine = {engine:ReplacingMergeTree}
order by (name)
comment 'Names of attributes in all conventions';
