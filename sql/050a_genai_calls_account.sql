-- Whose account at the provider was billed and in which region: contracts and regional prices depend on them.
alter table {db}.genai_calls
  add column if not exists account LowCardinality(String) comment 'Account at the provider: organization, project, deployment or cloud account; empty: not told' after gateway,
  add column if not exists region LowCardinality(String) comment 'Region or inference geography that served the call, lower case; empty: not told' after account;
