-- How long callers waited for the first token of a stream: percentiles over time.
select time, tiles[1] as p50, tiles[2] as p95, tiles[3] as p99
from (
  select $__timeInterval(ts) as time, quantiles(0.5, 0.95, 0.99)(assumeNotNull(time_to_first_token_ms)) as tiles
  from spans_judged
  where $__timeFilter(ts) and verdict = 'bills' and isNotNull(time_to_first_token_ms) and {filters}
  group by time)
order by time
