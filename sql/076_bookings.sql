-- One row per closed month, month that it is about, and dimensions: what was booked when the month was closed. A row about the month itself is
-- what it cost as far as was known; a row about an earlier month is an adjustment: what was learned since that one was closed. Rows are
-- never changed. One row without dimensions says that the month is closed, even if it cost nothing. Sorted by month: statements read months.
create table if not exists {db}.bookings (
  month Date comment 'Closed month in which it is booked, in the reporting time zone',
  about Date comment 'Month in which the calls were made; earlier than month: an adjustment',
  tenant LowCardinality(String) comment 'Tag: whose money it is',
  team LowCardinality(String) comment 'Tag: who spends it',
  feature LowCardinality(String) comment 'Tag: what for',
  service LowCardinality(String) comment 'service.name',
  environment LowCardinality(String) comment 'Deployment environment',
  provider LowCardinality(String) comment 'Provider in the price book',
  model LowCardinality(String) comment 'Model in the price book, or as delivered',
  completeness LowCardinality(String) comment 'State of the cost',
  calls Int64 comment 'Billed calls; of an adjustment, how many more',
  input_tokens Int64 comment 'All input; of an adjustment, how much more',
  output_tokens Int64 comment 'All output; of an adjustment, how much more',
  amount_usd Decimal(38, 24) comment 'Known cost, USD; of an adjustment, how much more',
  closed_at DateTime64(3, 'UTC') comment 'When the month was closed',
  closed_by LowCardinality(String) comment 'Who closed it',
  note LowCardinality(String) comment 'Why, or what to know about it'
) engine = {engine:MergeTree}
order by (month, about, tenant, team, feature, service, environment, provider, model, completeness)
comment 'What was booked for closed months, and the adjustments to earlier ones';
