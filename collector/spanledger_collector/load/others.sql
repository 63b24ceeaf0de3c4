-- How many calls the ledger has that no run of made-up calls brought.
select sum(calls)
from costs
where service != {service:String}
