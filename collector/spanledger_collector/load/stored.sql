-- What is left of a run, whose id begins each of its trace ids: rows of the view of calls, and different calls among them.
select count(), uniqExact(trace_id, span_id)
from calls
where service = {service:String} and startsWith(trace_id, {run:String})
