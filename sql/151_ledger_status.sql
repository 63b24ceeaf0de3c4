-- One row: how the ledger fares. What it holds, how far its sums are behind, how old its prices are.
create or replace view {db}.ledger_status (
  landed_spans UInt64 comment 'Spans in the landing table, repeated deliveries counted again',
  landed_logs UInt64 comment 'Log records in the landing table',
  quarantined_spans UInt64 comment 'Spans that were kept aside because they cannot be',
  last_span_at Nullable(DateTime64(3, 'UTC')) comment 'Start of the latest span of the last seven days, by its sender''s clock',
  waiting_traces UInt64 comment 'Traces that wait for the election',
  lag_seconds UInt64 comment 'Seconds since which calls wait to be judged or summed; 0: nothing waits',
  price_list_age_days UInt32 comment 'Days since this ledger first used its version of the price list',
  unpriced_calls UInt64 comment 'Calls of the last 30 days whose model has no price'
) as
select
  (select count() from {db}.otel_traces) as landed_spans,
  (select count() from {db}.otel_logs) as landed_logs,
  (select count() from {db}.quarantined_spans) as quarantined_spans,
  (select toNullable(max(last_span_at)) from {db}.services_seen having count() > 0) as last_span_at,
  (select traces from {db}.election_lag) as waiting_traces,
  toUInt64(greatest(0, ifNull(dateDiff('second', least(
    ifNull((select behind_since from {db}.election_lag), now64(3, 'UTC')),
    ifNull((select minOrNull(behind_since) from {db}.rollup_lag), now64(3, 'UTC'))), now64(3, 'UTC')), 0))) as lag_seconds,
  (select list_age_days from {db}.price_book_status) as price_list_age_days,
  (select unpriced_calls from {db}.price_book_status) as unpriced_calls
comment 'State of the ledger'
