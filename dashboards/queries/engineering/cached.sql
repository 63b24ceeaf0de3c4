-- Part of the input that came from the provider's cache over time, of the eight models with most input.
select time, name as series, if(tokens_in = 0, null, cached / tokens_in) as cached_share
from (
  select *, dense_rank() over (order by in_all desc, name) as nth
  from (
    select *, sum(tokens_in) over (partition by name) as in_all
    from (
      select time, model as name, sum(c.input_tokens) as tokens_in, sum(c.cache_read_tokens) as cached
      from costs_in_steps(since = $__fromTime, until = $__toTime, step = $__interval_s) as c
      where {filters}
      group by time, name)))
where nth <= 8
order by time, series
