-- One row per attribute name that the owner of the ledger gave a meaning: it beats every known name, also those that a later release
-- brings. Sorted by name, because a name means one thing; the newest row counts, one without a field takes it back.
create table if not exists {db}.own_attribute_names (
  name String comment 'Attribute of a span or a resource, as delivered',
  field LowCardinality(String) comment 'Field of the ledger that it fills; empty: taken back',
  changed_at DateTime64(6, 'UTC') default now64(6) comment 'When it was said',
  changed_by String comment 'Who said it'
) engine = {engine:ReplacingMergeTree(changed_at)}
order by name
comment 'Names of attributes that the owner of the ledger added';
