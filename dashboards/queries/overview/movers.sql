-- What changed most: the time range against the equally long one before it, by team, feature, model and tenant. Each dimension is a
-- grouping of its own: one group for each of their combinations takes twice as long.
select
  pair.1 as dimension, if(pair.2 = '', '(untagged)', pair.2) as name, toFloat64(in_range_usd) as now_usd, toFloat64(earlier_usd) as before_usd,
  toFloat64(in_range_usd - earlier_usd) as change_usd,
  if(earlier_usd = 0, null, toFloat64(in_range_usd - earlier_usd) / toFloat64(earlier_usd)) as change, unknown_in_either as unknown_calls
from (
  select
    multiIf(grouping(team) = 0, ('team', team), grouping(feature) = 0, ('feature', feature), grouping(model) = 0, ('model', model), ('tenant', tenant)) as pair,
    sumIf(c.known_usd, c.in_range) as in_range_usd, sumIf(c.known_usd, not c.in_range) as earlier_usd,
    sumIf(c.calls, c.unknown) as unknown_in_either
  from (
    select *, 1 as in_range from costs_between(since = $__fromTime, until = $__toTime)
    union all
    select *, 0 as in_range from costs_between(since = $__fromTime - ($__toTime - $__fromTime), until = $__fromTime - 1)) as c
  where {filters}
  group by grouping sets ((team), (feature), (model), (tenant)))
where in_range_usd != earlier_usd
order by abs(in_range_usd - earlier_usd) desc, dimension, name
limit 12
