-- Spans and requests of the time range that were kept aside, by reason; `spanledger quarantine list` shows each.
select kind, reason, count() as pieces, max(at) as last_at
from (
  select 'span' as kind, reason as reason, received_at as at from quarantined_spans where $__timeFilter(received_at)
  union all
  select 'request' as kind, reason, received_at as at from quarantined_requests where $__timeFilter(received_at))
group by kind, reason
order by pieces desc, reason
limit 50
