-- Hours of the last six whose rollups do not add up to their calls; none when all is well.
select hour, calls_in_rollup, calls_in_ledger, calls_difference, toFloat64(usd_difference) as usd_difference
from ledger_check
where hour >= now('UTC') - interval 6 hour and (calls_difference != 0 or usd_difference != 0)
order by hour desc
limit 6
