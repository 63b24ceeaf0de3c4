-- Of which request a span is.
alter table {db}.otlp_spans
  add column if not exists CredentialTenant String comment 'Tenant of the credential; empty: the sender says it itself',
  add column if not exists Request UInt64 comment 'Number of the request';
