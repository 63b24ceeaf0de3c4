-- Known cost over time of the eight dearest teams and of all others together.
select time, if(nth <= 8, name, 'all others') as series, toFloat64(sum(usd)) as known_usd
from (
  select *, dense_rank() over (order by usd_in_all desc, name) as nth
  from (
    select *, sum(usd) over (partition by name) as usd_in_all
    from (
      select time, if(team = '', '(untagged)', team) as name, sum(c.known_usd) as usd
      from costs_in_steps(since = $__fromTime, until = $__toTime, step = $__interval_s) as c
      where {filters}
      group by time, team)))
group by time, series
order by time, series
