-- What changed most: the time range against the equally long one before it, by team, feature, model and tenant.
with $__toTime - $__fromTime as seconds
select
  dimension, name, toFloat64(now_usd) as now_usd, toFloat64(before_usd) as before_usd, toFloat64(now_usd - before_usd) as change_usd,
  if(before_usd = 0, null, toFloat64(now_usd - before_usd) / toFloat64(before_usd)) as change, unknown as unknown_calls
from (
  select
    pair.1 as dimension, if(pair.2 = '', '(untagged)', pair.2) as name,
    sum(in_range_usd) as now_usd, sum(earlier_usd) as before_usd, sum(unknown_in_either) as unknown
  from (
    select
      team as of_team, feature as of_feature, model as of_model, tenant as of_tenant,
      sumIf(c.known_usd, bucket >= $__fromTime) as in_range_usd, sumIf(c.known_usd, bucket < $__fromTime) as earlier_usd,
      sumIf(c.calls, c.unknown) as unknown_in_either
    from costs as c
    where bucket >= $__fromTime - seconds and bucket <= $__toTime and {filters}
    group by of_team, of_feature, of_model, of_tenant)
  array join [('team', of_team), ('feature', of_feature), ('model', of_model), ('tenant', of_tenant)] as pair
  group by dimension, name)
where now_usd != before_usd
order by abs(now_usd - before_usd) desc, dimension, name
limit 12
