-- Marks every minute of the hours whose rollups do not count what the calls count, among the hours of calls that arrived lately: a process
-- that is killed between two tables may have booked a call and not marked its minute. Once at start, then hourly.
create or replace materialized view {db}.rollup_sweep_mv
refresh every 1 hour{by_command} append to {db}.dirty_minutes {as_its_maker}as
with
  (select least(max(ingested_at), now64(3)) - interval 3 hour from {db}.genai_calls) as since,
  (select groupUniqArray(toStartOfHour(ts)) from {db}.genai_calls where ingested_at >= since) as touched,
  booked as (
    select toStartOfMinute(ts) as minute, count() as calls, sum(toUInt64(input_tokens) + output_tokens) as tokens
    from {db}.genai_calls final
    where toStartOfHour(ts) in (select arrayJoin(touched)) and verdict = 'bills'
    group by minute),
  differences as (
    -- positive from the calls, negative from a rollup: an hour of the calendar is in one bucket of the reporting zone, or in two
    select toDateTime(toStartOfMinute(minute, {zone}), 'UTC') as bucket, 'cost_minutes' as rollup, toInt64(calls) as calls, toInt64(tokens) as tokens from booked where minute > now('UTC') - interval 1 day
    union all
    select toDateTime(toStartOfMinute(minute, {zone}), 'UTC') as bucket, 'actor_minutes' as rollup, toInt64(calls) as calls, toInt64(tokens) as tokens from booked where minute > now('UTC') - interval 1 day
    union all
    select bucket, 'cost_minutes' as rollup, -toInt64(calls) as calls, -toInt64(input_tokens + output_tokens) as tokens from {db}.cost_minutes final where toStartOfHour(bucket) in (select arrayJoin(touched)) and bucket > now('UTC') - interval 1 day
    union all
    select bucket, 'actor_minutes' as rollup, -toInt64(calls) as calls, -toInt64(input_tokens + output_tokens) as tokens from {db}.actor_minutes final where toStartOfHour(bucket) in (select arrayJoin(touched)) and bucket > now('UTC') - interval 1 day
    union all
    select toDateTime(toStartOfHour(ts, {zone}), 'UTC') as bucket, arrayJoin(['cost_hours', 'actor_hours']) as rollup, toInt64(count()) as calls, toInt64(sum(toUInt64(input_tokens) + output_tokens)) as tokens
    from {db}.genai_calls final
    where toDateTime(toStartOfHour(ts, {zone}), 'UTC') in (select toDateTime(toStartOfHour(arrayJoin(touched), {zone}), 'UTC')) and verdict = 'bills'
    group by bucket
    union all
    select bucket, 'cost_hours' as rollup, -toInt64(calls) as calls, -toInt64(input_tokens + output_tokens) as tokens from {db}.cost_hours final where bucket in (select toDateTime(toStartOfHour(arrayJoin(touched), {zone}), 'UTC'))
    union all
    select bucket, 'actor_hours' as rollup, -toInt64(calls) as calls, -toInt64(input_tokens + output_tokens) as tokens from {db}.actor_hours final where bucket in (select toDateTime(toStartOfHour(arrayJoin(touched), {zone}), 'UTC')))
select distinct bucket as minute, now64(3, 'UTC') as marked_at
from (select bucket, rollup, sum(calls) as more_calls, sum(tokens) as more_tokens from differences group by bucket, rollup)
where more_calls != 0 or more_tokens != 0;
