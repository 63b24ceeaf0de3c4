-- Spend of the time range that lacks a tag, by service.
select
  service as of_service, missing, toFloat64(sum(c.known_usd)) as known_usd, sum(c.calls) as calls, sumIf(c.calls, c.unknown) as unknown_calls
from costs_between(since = $__fromTime, until = $__toTime) as c
array join arrayFilter(x -> x != '', [if(team = '', 'team', ''), if(feature = '', 'feature', ''), if(tenant = '', 'tenant', '')]) as missing
where {filters}
group by of_service, missing
order by known_usd desc, calls desc, of_service, missing
limit 50
