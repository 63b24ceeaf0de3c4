-- One row per hour: what the rollups say, what the calls say, and the difference, normally 0. An hour that just changed differs until its
-- rollup is made again.
create or replace view {db}.ledger_check (
  hour DateTime('UTC') comment 'Start of the hour in the reporting time zone',
  calls_in_rollup UInt64 comment 'Calls that the rollups count',
  calls_in_ledger UInt64 comment 'Calls that the ledger holds',
  calls_difference Int64 comment 'Rollup minus ledger; 0 when all is well',
  usd_in_rollup Decimal(38, 24) comment 'Known cost that the rollups sum, USD',
  usd_in_ledger Decimal(38, 24) comment 'Known cost of the single calls, USD',
  usd_difference Decimal(38, 24) comment 'Rollup minus ledger, USD; 0 when all is well'
) as
select
  hour,
  sum(rollup_calls) as calls_in_rollup, sum(ledger_calls) as calls_in_ledger, toInt64(calls_in_rollup) - toInt64(calls_in_ledger) as calls_difference,
  sum(rollup_usd) as usd_in_rollup, sum(ledger_usd) as usd_in_ledger, usd_in_rollup - usd_in_ledger as usd_difference
from (
  select toDateTime(toStartOfHour(bucket, {zone}), 'UTC') as hour, calls as rollup_calls, 0 as ledger_calls, known_usd as rollup_usd, toDecimal128(0, 24) as ledger_usd
  from {db}.costs
  union all
  select toDateTime(toStartOfHour(ts, {zone}), 'UTC') as hour, 0 as rollup_calls, 1 as ledger_calls, toDecimal128(0, 24) as rollup_usd,
    amount_usd * (completeness = 'priced') as ledger_usd
  from {db}.priced_calls)
group by hour
comment 'One row per hour';
