-- One row per day whose hours were made after it, among the days that are over. A day is over when none of its hours is read from minutes any
-- more (see the view costs): then its hours are at rest, but for what comes late. It is the hours that are asked, not the marks: those of a large
-- delivery are made over minutes, and a day that was made between two of them is newer than its marks. No condition on a tag: without, the
-- engine reads two columns that take no room.
create or replace view {db}.stale_cost_days (
  bucket DateTime('UTC') comment 'Start of the day, in the reporting time zone',
  marked_at DateTime64(3, 'UTC') comment 'When one of its calls changed last',
  made_at DateTime64(3, 'UTC') comment 'When the newest of the hours that it sums was made; 1970: it was never made'
) as
with toDateTime(toStartOfDay(now('UTC') - interval 2 hour, {zone}), 'UTC') as over
select hours.day as bucket, marked.at as marked_at, days.ran as made_at
from (
  select toDateTime(toStartOfDay(bucket, {zone}), 'UTC') as day, max(run_at) as ran from {db}.cost_hours where bucket < over group by day) as hours
left join (select bucket as day, max(run_at) as ran from {db}.cost_days group by day) as days on hours.day = days.day
left join (
  select toDateTime(toStartOfDay(minute, {zone}), 'UTC') as day, max(marked_at) as at from {db}.dirty_minutes where minute < over group by day) as marked
  on hours.day = marked.day
where hours.ran > days.ran
comment 'Days whose hours were made after them'
