-- GenAI spans for each second over time, by verdict. Counted in one group for each interval: a group for each verdict too takes twice as long.
select time, counted.1 as series, counted.2 / $__interval_s as spans_per_second
from (
  select
    $__timeInterval(ts) as time,
    arrayJoin([
      ('bills', countIf(verdict = 'bills')), ('covered', countIf(verdict = 'covered')), ('duplicate', countIf(verdict = 'duplicate')),
      ('pending', countIf(verdict = 'pending')), ('wrapper', countIf(verdict = 'wrapper'))]) as counted
  from spans_judged
  where $__timeFilter(ts)
  group by time)
where counted.2 > 0
order by time, series
