-- User and session that spent more than the limit in the last 60 minutes: USD.
select tenant, user, session, toFloat64(sum(known_usd)) as value
from actor_costs
where bucket > now('UTC') - interval 60 minute and (user != '' or session != '')
group by tenant, user, session
having sum(known_usd) > toDecimal128({actor_usd_per_hour}, 6)
order by value desc
limit 50
