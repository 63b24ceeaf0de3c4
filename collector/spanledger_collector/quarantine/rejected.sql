-- One row per request of which spans or log records were kept aside just now: how many, and up to three reasons.
select request, count() as spans, groupUniqArray(3)(reason) as reasons
from quarantined_spans
where request between {first:UInt64} and {last:UInt64} and received_at >= now64(3) - interval 1 hour
group by request
