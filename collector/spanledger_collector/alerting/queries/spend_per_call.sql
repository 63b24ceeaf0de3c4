-- Feature and model with a call above the limit in the last 60 minutes: USD of the dearest.
select tenant, team, feature, model, toFloat64(max(cost_usd)) as value
from calls
where ts > now('UTC') - interval 60 minute and cost_usd > toDecimal128({call_usd}, 6)
group by tenant, team, feature, model
order by value desc
limit 50
