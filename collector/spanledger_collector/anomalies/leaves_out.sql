-- 1 while some ten minutes since then were summed without calls which wait for a verdict: new ones, or such as are read again after a start.
select count() > 0 as leaves_out
from (select bucket, argMaxIf(calls, run_at, part = '') as left_out from spend_buckets where bucket >= toStartOfTenMinutes(toDateTime({since:Int64}, 'UTC')) group by bucket)
where left_out > 0
