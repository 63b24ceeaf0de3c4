-- One row per day whose hours were made after it, among the days that are over. A day is over when none of its hours is read from minutes any
-- more (see the view costs): then its hours are at rest, but for what comes late.
create or replace view {db}.stale_cost_days (
  bucket DateTime('UTC') comment 'Start of the day, in the reporting time zone',
  changed_at DateTime64(3, 'UTC') comment 'When one of its hours was made last',
  made_at DateTime64(3, 'UTC') comment 'When the newest of the hours that it sums was made; 1970: it was never made'
) as
select hours.day as bucket, hours.ran as changed_at, days.ran as made_at
from (
  select toDateTime(toStartOfDay(bucket, {zone}), 'UTC') as day, max(run_at) as ran
  from {db}.cost_hours
  where bucket < toDateTime(toStartOfDay(now('UTC') - interval 2 hour, {zone}), 'UTC')
  group by day) as hours
left join (select bucket as day, max(run_at) as ran from {db}.cost_days group by day) as days on hours.day = days.day
where hours.ran > days.ran
comment 'Days whose hours were made after them';
