-- Model without a price that is used in earnest: its tokens of the last 24 hours.
select provider, model, toFloat64(sum(input_tokens + output_tokens)) as value
from unpriced_models
where hour > now('UTC') - interval 24 hour
group by provider, model
having value >= {unpriced_tokens}
order by value desc
limit 50
