-- Whose account at the provider was billed and in which region: contracts and regional prices depend on them; and what else the price
-- depends on.
alter table {db}.genai_spans
  add column if not exists account LowCardinality(String) comment 'See genai_calls',
  add column if not exists region LowCardinality(String) comment 'See genai_calls',
  add column if not exists price_context LowCardinality(String) comment 'See genai_calls';
