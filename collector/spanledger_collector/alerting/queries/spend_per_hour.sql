-- Team and feature that spent more than the limit in the last 60 minutes: USD.
select tenant, team, feature, toFloat64(sum(known_usd)) as value
from costs
where bucket > now('UTC') - interval 60 minute
group by tenant, team, feature
having sum(known_usd) > toDecimal128({spend_usd_per_hour}, 6)
order by value desc
limit 50
