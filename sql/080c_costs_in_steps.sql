-- The rows of costs with since <= bucket <= until (UTC) for a chart with steps of so many seconds: time is the start of the step that a row is in.
--   select time, sum(c.known_usd) as usd from costs_in_steps(since = '2026-01-01 00:00:00', until = '2026-06-30 23:59:59', step = 86400) as c group by time
-- A step of a day is a day of the reporting time zone; one of 7 days or more is a week from Monday, one of 30 or more a month. For these whole
-- days are read, as in costs_between; for shorter ones, which begin at local midnights, hours and minutes. It reads as who asks, as costs_between does.
create or replace view {db}.costs_in_steps as
with
  toDateTime(toStartOfDay({since:DateTime('UTC')}, {zone}), 'UTC') as midnight,
  if(midnight = {since:DateTime('UTC')}, midnight, toDateTime(toStartOfDay(midnight + interval 30 hour, {zone}), 'UTC')) as days_from,
  if({step:UInt32} < 86400, days_from, least(
    toDateTime(toStartOfDay({until:DateTime('UTC')} + interval 1 hour, {zone}), 'UTC'),
    (select toDateTime(toStartOfDay(bucket + interval 30 hour, {zone}), 'UTC') from {db}.newest_day))) as days_to
select
  toDateTime(if({step:UInt32} >= 2592000, toDateTime(toStartOfMonth(bucket, {zone}), {zone}),
    if({step:UInt32} >= 604800, toDateTime(toMonday(bucket, {zone}), {zone}),
    if({step:UInt32} >= 86400, toStartOfDay(bucket, {zone}),
    toStartOfDay(bucket, {zone}) + toIntervalSecond(intDiv(toUnixTimestamp(bucket) - toUnixTimestamp(toStartOfDay(bucket, {zone})), {step:UInt32}) * {step:UInt32})))), 'UTC') as time,
  *
from (
  select * from {db}.daily_costs where bucket >= days_from and bucket < days_to
  union all
  select * from {db}.costs
  where bucket >= {since:DateTime('UTC')} and bucket <= {until:DateTime('UTC')} and (bucket < days_from or bucket >= days_to))
comment 'The rows of costs between two times with the step of a chart that each is in, whole days in one where steps are days'
