-- Tokens over time; the five kinds are disjoint.
select
  time, sum(c.input_tokens) - sum(c.cache_read_tokens) - sum(c.cache_write_tokens) as uncached_input, sum(c.cache_read_tokens) as cache_read,
  sum(c.cache_write_tokens) as cache_write, sum(c.output_tokens) - sum(c.reasoning_tokens) as answer, sum(c.reasoning_tokens) as reasoning
from costs_in_steps(since = $__fromTime, until = $__toTime, step = $__interval_s) as c
where {filters}
group by time
order by time
