-- The audit of a model's month: which changes of prices moved the known cost of calls with one tenant and team.
select at, who, why, book_from, book_to, calls, old_usd, new_usd, delta_usd
from repricing_history
where month = toStartOfMonth(toDateTime({at:Int64}, 'UTC'), {zone:String}) and tenant = {tenant:String} and team = {team:String}
  and provider = {provider:String} and model = {model:String}
order by at, book_to
