-- Failed calls and silent retries for each hundred calls over time.
select
  time, sum(c.errors) / sum(c.calls) as error_share, (greatest(sum(c.attempts), sum(c.calls)) - sum(c.calls)) / sum(c.calls) as retries_per_call
from costs_in_steps(since = $__fromTime, until = $__toTime, step = $__interval_s) as c
where {filters}
group by time
order by time
