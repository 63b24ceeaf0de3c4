-- The rows of costs with since <= bucket <= until (UTC), but one row for a whole day where there is one: sums of many days take half the time.
--   select team, sum(c.known_usd) as usd from costs_between(since = '2026-01-01 00:00:00', until = '2026-06-30 23:59:59') as c group by team
-- Days are read up to the newest that was made, all others by hour and minute: the ranges are disjoint, so sums are exact. It reads as who asks,
-- so that what a reader may not see in the two views is not seen here.
create or replace view {db}.costs_between as
with
  toDateTime(toStartOfDay({since:DateTime('UTC')}, {zone}), 'UTC') as midnight,
  if(midnight = {since:DateTime('UTC')}, midnight, toDateTime(toStartOfDay(midnight + interval 30 hour, {zone}), 'UTC')) as days_from,
  -- an hour is in the range when its start is: so is a day whose last hour is
  least(
    toDateTime(toStartOfDay({until:DateTime('UTC')} + interval 1 hour, {zone}), 'UTC'),
    (select toDateTime(toStartOfDay(bucket + interval 30 hour, {zone}), 'UTC') from {db}.newest_day)) as days_to
select * from {db}.daily_costs where bucket >= days_from and bucket < days_to
union all
select * from {db}.costs
where bucket >= {since:DateTime('UTC')} and bucket <= {until:DateTime('UTC')} and (bucket < days_from or bucket >= days_to)
comment 'The rows of costs between two times, whole days in one';
