-- Known cost over time by the dimension that was chosen: the eight dearest values and all others together.
select time, if(nth <= 8, name, 'all others') as series, toFloat64(sum(usd)) as known_usd
from (
  select *, dense_rank() over (order by usd_in_all desc, name) as nth
  from (
    select *, sum(usd) over (partition by name) as usd_in_all
    from (
      select
        time,
        toString(multiIf(${by:singlequote} = 'feature', feature, ${by:singlequote} = 'tenant', tenant, ${by:singlequote} = 'model', model,
          ${by:singlequote} = 'environment', environment, ${by:singlequote} = 'service', service, ${by:singlequote} = 'agent', agent,
          ${by:singlequote} = 'task', task, team)) as value,
        if(value = '', '(untagged)', value) as name, sum(c.known_usd) as usd
      from costs_in_steps(since = $__fromTime, until = $__toTime, step = $__interval_s) as c
      where {filters}
      group by time, value)))
group by time, series
order by time, series
