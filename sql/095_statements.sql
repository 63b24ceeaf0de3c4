-- One row per month, month of the calls and dimensions: what a month is charged, and about which. A closed month never changes; what is learned about it later is an adjustment
-- in the first open month. So the sum over all months is the sum of all costs, at any time, to the last digit.
create or replace view {db}.statements (
  month Date comment 'Month that is charged, in the reporting time zone',
  closed UInt8 comment '1: booked for good; 0: as far as is known now',
  about Date comment 'Month in which the calls were made: the same, or an earlier, closed one that is adjusted',
  tenant LowCardinality(String) comment 'Tag: whose money it is',
  team LowCardinality(String) comment 'Tag: who spends it',
  feature LowCardinality(String) comment 'Tag: what for',
  service LowCardinality(String) comment 'service.name of the resource',
  environment LowCardinality(String) comment 'Deployment environment',
  provider LowCardinality(String) comment 'Provider in the price book; as delivered while the book does not know the model',
  model LowCardinality(String) comment 'Model in the price book; as delivered while the book does not know it',
  completeness LowCardinality(String) comment 'priced, estimated, unpriced_model, no_usage, failed_not_billed, failed_maybe_billed or notional',
  calls Int64 comment 'Billed calls of the month itself',
  adjustment_calls Int64 comment 'Calls of earlier months that are booked here: how many more',
  booked_usd Decimal(38, 24) comment 'Known cost of the month itself, USD',
  adjustment_usd Decimal(38, 24) comment 'What is owed more or less for earlier months, USD',
  total_usd Decimal(38, 24) comment 'Both together, USD; a lower bound where it is not known: what is unknown is booked as 0',
  cost_usd Nullable(Decimal(38, 24)) comment 'The same; NULL where the cost of these calls is not known'
) as
with (select if(count() = 0, toDate(0), max(month) + interval 1 month) from {db}.bookings) as first_open
select
  month, closed, about, tenant, team, feature, service, environment, provider, model, completeness,
  sumIf(n, about = month) as calls, sumIf(n, about < month) as adjustment_calls,
  sumIf(usd, about = month) as booked_usd, sumIf(usd, about < month) as adjustment_usd, sum(usd) as total_usd,
  if(completeness in ('priced', 'failed_not_billed', 'notional') or (calls <= 0 and adjustment_calls <= 0), total_usd, null) as cost_usd
from (
  select month, 1 as closed, about, tenant, team, feature, service, environment, provider, model, completeness, calls as n, amount_usd as usd
  from {db}.bookings
  union all
  select greatest(about, first_open) as month, 0 as closed, about, tenant, team, feature, service, environment, provider, model, completeness,
    calls as n, amount_usd as usd
  from {db}.unbooked)
group by month, closed, about, tenant, team, feature, service, environment, provider, model, completeness
comment 'One row per month, month of the calls and dimensions: what a month is charged';
