-- Models of the time range without a price, most tokens first: `spanledger prices set` gives one.
select provider as of_provider, model as of_model, sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens, max(bucket) as last_at
from costs as c
where $__timeFilter(bucket) and completeness = 'unpriced_model' and {filters}
group by of_provider, of_model
order by input_tokens + output_tokens desc, of_model
limit 50
