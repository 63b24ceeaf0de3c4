-- for each: rollup = cost_minutes, cost_hours, actor_minutes, actor_hours
-- One row per {grain} that the next run of {rollup} makes again: what is behind first, then what an insert under way may still have changed,
-- newest first, up to about a million calls; at least one. A run is one part and lies in memory whole, so it is the calls that must be
-- bounded. The array is evaluated once, so that both its readers see one set.
create or replace view {db}.due_{rollup} (bucket DateTime('UTC') comment 'Start of the {grain}, in the reporting time zone') as
with (select groupArray((bucket, is_behind)) from (
  select bucket, marked_at >= made_at as is_behind
  from {db}.stale_{rollup}
  where marked_at + interval {margin} second > made_at
    and (bucket >= now('UTC') - interval 2 hour or made_at < now64(3, 'UTC') - interval {late_every})
  order by is_behind desc, bucket desc
  limit 2000)) as due
select bucket
from (
  select bucket, sum(sum_calls) over (order by behind desc, bucket desc rows between unbounded preceding and current row) - sum_calls as calls_before
  from (
    select bucket, max(is_behind) as behind, sum(calls) as sum_calls
    from (
      select pair.1 as bucket, pair.2 as is_behind, toUInt64(0) as calls from (select arrayJoin(due) as pair)
      union all
      select toDateTime({start_of}(ts, {zone}), 'UTC') as bucket, 0 as is_behind, toUInt64(count()) as calls
      from {db}.genai_calls
      where toDateTime({start_of}(ts, {zone}), 'UTC') in (select arrayJoin(due).1)
      group by bucket)
    group by bucket))
where calls_before < 1000000
comment 'What the next run of {rollup} makes again';
