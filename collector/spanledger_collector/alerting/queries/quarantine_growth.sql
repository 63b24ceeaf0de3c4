-- Kind of what was kept aside in the last 15 minutes: how many.
select kept_aside, toFloat64(count()) as value
from (
  select 'spans' as kept_aside from quarantined_spans where received_at > now64(3, 'UTC') - interval 15 minute
  union all
  select 'requests' as kept_aside from quarantined_requests where received_at > now64(3, 'UTC') - interval 15 minute)
group by kept_aside
having value >= {quarantined}
