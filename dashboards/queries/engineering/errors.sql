-- Failed calls and silent retries for each hundred calls over time.
select
  $__timeInterval(bucket) as time, sum(c.errors) / sum(c.calls) as error_share, (greatest(sum(c.attempts), sum(c.calls)) - sum(c.calls)) / sum(c.calls) as retries_per_call
from costs as c
where $__timeFilter(bucket) and {filters}
group by time
order by time
