-- The audit of some models: which changes of prices moved the known cost of their calls, by month, tenant and team.
select month, tenant, team, provider, model, at, who, why, book_from, book_to, calls, old_usd, new_usd, delta_usd
from repricing_history
where has({models:Array(String)}, concat(provider, '/', model))
order by at, book_to
