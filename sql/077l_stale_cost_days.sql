-- One row per day whose hours were made after it, among the days that are over. A day is over when none of its hours is read from minutes any
-- more (see the view costs): then its hours are at rest, but for what comes late. Only a day with a mark that is newer than it is, or hardly
-- older, can be behind: of those the hours are looked at (they begin at any half hour, where clocks change by half an hour), of no others.
-- Every day has a row without dimensions, as its hours have, so the time of a day is found in few rows.
create or replace view {db}.stale_cost_days (
  bucket DateTime('UTC') comment 'Start of the day, in the reporting time zone',
  marked_at DateTime64(3, 'UTC') comment 'When one of its calls changed last',
  made_at DateTime64(3, 'UTC') comment 'When the newest of the hours that it sums was made; 1970: it was never made'
) as
with
  toDateTime(toStartOfDay(now('UTC') - interval 2 hour, {zone}), 'UTC') as over,
  (select (groupArray(marked.day), groupArray(days.ran), groupArray(marked.at)) from (
    select toDateTime(toStartOfDay(minute, {zone}), 'UTC') as day, max(marked_at) as at from {db}.dirty_minutes where minute < over group by day) as marked
    left join (
      select bucket as day, max(run_at) as ran from {db}.cost_days where tenant = '' and team = '' and model = '' group by day) as days on marked.day = days.day
    where marked.at + interval {margin} second > days.ran) as marked_days
select
  toDateTime(toStartOfDay(hours.bucket, {zone}), 'UTC') as bucket, transform(bucket, marked_days.1, marked_days.3, toDateTime64(0, 3, 'UTC')) as marked_at,
  transform(bucket, marked_days.1, marked_days.2, toDateTime64(0, 3, 'UTC')) as made_at
from {db}.cost_hours as hours
where hours.bucket in (select arrayJoin(marked_days.1) + toIntervalMinute(30 * arrayJoin(range(52)))) and hours.bucket < over and has(marked_days.1, bucket)
group by bucket
having max(hours.run_at) > made_at
comment 'Days whose hours were made after them';
