-- One row per operation as some convention spells it: its standard name, and whether such a span is a model call, a wrapper
-- around calls (its usage, if any, repeats theirs), or a link that only connects others.
create table if not exists {db}.operations (
  name String comment 'Value as delivered',
  operation LowCardinality(String) comment 'gen_ai.operation.name of the current convention',
  role LowCardinality(String) comment 'call, wrapper or link',
  origin LowCardinality(String) comment 'Convention that uses the value, or user'
) engine = {engine:ReplacingMergeTree}
order by name
comment 'Operations in all conventions, and their role';
