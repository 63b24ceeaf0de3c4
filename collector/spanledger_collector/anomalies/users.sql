-- One row per user who made calls since a moment: which share of his money is in a place. Sums by ten minutes know users or features, not both.
select tenant, user, sumIf(usd, is_in) / sum(usd) as share
from (
  select tenant, user, toFloat64(amount_usd) * (completeness = 'priced') as usd,
    ({tenant:String} = '' or tenant = {tenant:String}) and ({team:String} = '' or team = {team:String}) and ({feature:String} = '' or feature = {feature:String})
      and ({provider:String} = '' or provider = {provider:String}) and ({model:String} = '' or model = {model:String}) as is_in
  from priced_calls
  where ts >= toDateTime({since:UInt32}, 'UTC') and ts < toDateTime({until:UInt32}, 'UTC') and user != '')
group by tenant, user
having sum(usd) > 0
