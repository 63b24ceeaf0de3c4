-- Tokens over time; the five kinds are disjoint.
select
  $__timeInterval(bucket) as time, sum(c.input_tokens) - sum(c.cache_read_tokens) - sum(c.cache_write_tokens) as uncached_input, sum(c.cache_read_tokens) as cache_read,
  sum(c.cache_write_tokens) as cache_write, sum(c.output_tokens) - sum(c.reasoning_tokens) as answer, sum(c.reasoning_tokens) as reasoning
from costs as c
where $__timeFilter(bucket) and {filters}
group by time
order by time
