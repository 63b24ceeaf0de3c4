-- One row per signal of the pipeline, for a panel and for the alerts of the pipeline: how late, how full, how much was lost or kept aside, how old.
-- What never reached the database (refused, queued at the Collector) is in the Collector's own metrics and in /metrics of `spanledger up`.
create or replace view {db}.pipeline_health (
  signal LowCardinality(String) comment 'Name of the signal',
  value Nullable(Float64) comment 'Its value now; NULL: there is nothing to measure',
  unit LowCardinality(String) comment 'seconds, days, or what is counted',
  meaning String comment 'What it tells, in words'
) as
with
  (select (toFloat64(lag_seconds), toFloat64(waiting_traces), toFloat64(price_list_age_days), toFloat64(unpriced_calls)) from {db}.ledger_status) as status,
  (select toFloat64OrNull(toString(minOrNull(silent_seconds))) from {db}.services_seen where genai_spans != 0) as silent,
  (select countIf(received_at > now64(3) - interval 1 day) from {db}.quarantined_spans) as spans_aside,
  (select countIf(received_at > now64(3) - interval 1 day) from {db}.quarantined_requests) as requests_aside,
  (select sum(missing) from {db}.lost_spans) as lost,
  (select count() from system.view_refreshes where database = '{db}' and exception != '') as broken,
  (select dateDiff('second', max(learned_at), now64(3, 'UTC')) / 86400 from {db}.price_books having count() != 0) as book_age
select
  row.1 as signal, row.2 as value, row.3 as unit, row.4 as meaning
from (
  select arrayJoin([
    ('lag', toNullable(status.1), 'seconds', 'Since when calls wait to be judged or summed; 0: nothing waits'),
    ('waiting_traces', toNullable(status.2), 'traces', 'Traces that wait for the election'),
    ('silence', silent, 'seconds', 'Since the latest GenAI span started, by its sender''s clock; negative: that clock is ahead'),
    ('quarantined_spans', toNullable(toFloat64(spans_aside)), 'spans', 'Spans and log records kept aside in 24 hours'),
    ('quarantined_requests', toNullable(toFloat64(requests_aside)), 'requests', 'Requests that could not be read in 24 hours'),
    ('lost_spans', toNullable(toFloat64(lost)), 'spans', 'Numbers missing among the GenAI spans of the hour that ended 15 minutes ago: lost_spans'),
    ('failed_refreshes', toNullable(toFloat64(broken)), 'views', 'Refreshed views whose last run failed; system.view_refreshes says why'),
    ('price_list_age', toNullable(status.3), 'days', 'Since this ledger first used its version of the price list'),
    ('price_book_age', toNullable(book_age), 'days', 'Since the price book in force was made'),
    ('unpriced_calls', toNullable(status.4), 'calls', 'Calls of 30 days whose model has no price')]) as row)
comment 'State of the pipeline, one row per signal';
