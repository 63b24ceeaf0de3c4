-- What is not known of the time range, in four figures. One row; shares are NULL where there are no calls.
select
  if(n = 0, null, 1 - unknown / n) as known_share, unpriced as unpriced_calls, silent as no_usage_calls, untagged as untagged_calls,
  if(n = 0, null, untagged / n) as untagged_share
from (
  select
    sum(c.calls) as n, sumIf(c.calls, c.unknown) as unknown, sumIf(c.calls, completeness = 'unpriced_model') as unpriced,
    sumIf(c.calls, completeness in ('no_usage', 'failed_maybe_billed')) as silent, sumIf(c.calls, team = '' or feature = '') as untagged
  from costs_between(since = $__fromTime, until = $__toTime) as c
  where {filters})
