-- One row per month and dimensions whose books differ from the truth: what the costs say now, less what was booked about that month. For an
-- open month that is all of it. Months whose hours are no longer kept whole have nothing to compare with: their books are the truth.
create or replace view {db}.unbooked (
  about Date comment 'Month in which the calls were made, in the reporting time zone',
  tenant LowCardinality(String) comment 'Tag: whose money it is',
  team LowCardinality(String) comment 'Tag: who spends it',
  feature LowCardinality(String) comment 'Tag: what for',
  service LowCardinality(String) comment 'service.name of the resource',
  environment LowCardinality(String) comment 'Deployment environment',
  provider LowCardinality(String) comment 'Provider in the price book; as delivered while the book does not know the model',
  model LowCardinality(String) comment 'Model in the price book; as delivered while the book does not know it',
  completeness LowCardinality(String) comment 'priced, estimated, unpriced_model, no_usage, failed_not_billed, failed_maybe_billed or notional',
  calls Int64 comment 'Billed calls that are not booked; negative: booked too many',
  input_tokens Int64 comment 'Their input tokens',
  output_tokens Int64 comment 'Their output tokens',
  amount_usd Decimal(38, 24) comment 'Known cost that is not booked, USD; negative: booked too much'
) as
with toDate(toStartOfMonth(now('UTC') - interval {rollup_years} year, {zone})) + interval 1 month as kept_since
select
  about, tenant, team, feature, service, environment, provider, model, completeness,
  sum(n) as calls, sum(i) as input_tokens, sum(o) as output_tokens, sum(usd) as amount_usd
from (
  select toStartOfMonth(bucket, {zone}) as about, tenant, team, feature, service, environment, provider, model, completeness,
    toInt64(calls) as n, toInt64(input_tokens) as i, toInt64(output_tokens) as o, known_usd as usd
  from {db}.costs_between(since = '1970-01-02 00:00:00', until = '2106-01-01 00:00:00')
  union all
  select about, tenant, team, feature, service, environment, provider, model, completeness, -calls, -input_tokens, -output_tokens, -amount_usd
  from {db}.bookings)
where about >= kept_since
group by about, tenant, team, feature, service, environment, provider, model, completeness
having calls != 0 or input_tokens != 0 or output_tokens != 0 or amount_usd != 0
comment 'What the costs say now less what was booked, by month and dimensions';
