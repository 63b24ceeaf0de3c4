-- One row: where we are in the reporting time zone. Panels that mean today or this month read the borders here, so that they are the same
-- everywhere; a day begins at local midnight.
create or replace view {db}.calendar (
  zone String comment 'Reporting time zone',
  at DateTime('UTC') comment 'Now',
  today DateTime('UTC') comment 'Start of today',
  week_ago DateTime('UTC') comment 'Seven days before now',
  month DateTime('UTC') comment 'Start of this month',
  next_month DateTime('UTC') comment 'Start of the next month',
  last_month DateTime('UTC') comment 'Start of the month before this one',
  last_month_so_far DateTime('UTC') comment 'As far into that month as we are in this one; its end at most'
) as
select
  {zone} as zone, now('UTC') as at,
  toDateTime(toStartOfDay(now('UTC'), {zone}), 'UTC') as today,
  at - interval 7 day as week_ago,
  toDateTime(toDateTime(toStartOfMonth(now('UTC'), {zone}), {zone}), 'UTC') as month,
  toDateTime(toDateTime(toStartOfMonth(now('UTC'), {zone}) + interval 1 month, {zone}), 'UTC') as next_month,
  toDateTime(toDateTime(toStartOfMonth(now('UTC'), {zone}) - interval 1 month, {zone}), 'UTC') as last_month,
  least(last_month + toIntervalSecond(dateDiff('second', month, at)), month) as last_month_so_far
comment 'Borders of day and month in the reporting time zone'
