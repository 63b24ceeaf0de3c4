-- Spans and requests that were kept aside over time.
select $__timeInterval(at) as time, series, count() as pieces
from (
  select received_at as at, 'spans' as series from quarantined_spans where $__timeFilter(received_at)
  union all
  select received_at as at, 'requests' as series from quarantined_requests where $__timeFilter(received_at))
group by time, series
order by time, series
