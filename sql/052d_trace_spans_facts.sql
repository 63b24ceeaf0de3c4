-- What the election compares and lends. Deliveries of one span that know different things stay apart (version is part of the key), so that
-- the one that knows most can be taken, whatever came last.
alter table {db}.trace_spans
  add column if not exists version UInt64 comment 'facts_version of this delivery',
  add column if not exists scope LowCardinality(String) comment 'Name of the instrumentation scope',
  add column if not exists usage_rank UInt8 comment 'How the usage is known: 3 reported, 2 partial, 1 estimated, 0 not',
  add column if not exists is_error UInt8 comment 'The call failed',
  add column if not exists provider_raw LowCardinality(String) comment 'Provider as delivered',
  add column if not exists model_raw LowCardinality(String) comment 'Model as delivered',
  add column if not exists input_tokens UInt32 comment 'All input',
  add column if not exists service LowCardinality(String) comment 'Resource attribute service.name',
  add column if not exists environment LowCardinality(String) comment 'Deployment environment',
  add column if not exists words Array(String) comment 'Lent where lacking: response id, service tier, price context, account, region, error type',
  add column if not exists figures Array(UInt64) comment 'Lent where lacking: attempts beyond the first, microseconds to first token, cache write 1h tokens, six sizes, four fingerprints',
  modify order by (trace_id, span_id, ts, version);
