-- One row per verdict: how many of the spans of one run stand for a billed call, and how many repeat or wrap one.
-- The view of spans has no environment; a run of the demo is told by its service and its start.
select verdict, count() as span_count
from spans_judged
where service = {service:String} and ts >= parseDateTime64BestEffort({since:String}, 6, 'UTC')
group by verdict
order by span_count desc, verdict
