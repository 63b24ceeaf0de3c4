-- Known cost of the last 30 days by provider and model of the price book.
select provider, model, sum(known_usd) as usd
from costs
where bucket > now('UTC') - interval 30 day
group by provider, model
