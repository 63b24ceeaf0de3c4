-- Mean known cost of a call over time, of the eight models with most calls.
select time, name as series, if(usd = 0 and unknown > 0, null, toFloat64(usd) / (n - unknown)) as usd_per_call
from (
  select *, dense_rank() over (order by n_in_all desc, name) as nth
  from (
    select *, sum(n) over (partition by name) as n_in_all
    from (
      select
        time, model as name, sum(c.known_usd) as usd, sum(c.calls) as n, sumIf(c.calls, c.unknown) as unknown
      from costs_in_steps(since = $__fromTime, until = $__toTime, step = $__interval_s) as c
      where {filters}
      group by time, name)))
where nth <= 8
order by time, series
