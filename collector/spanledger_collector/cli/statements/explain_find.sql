-- Traces whose id, or one of whose GenAI spans' ids, begins with some digits.
select lower(hex(trace_id)) as trace, max(startsWith(lower(hex(trace_id)), {digits:String})) as is_trace, count() as spans
from genai_calls
where startsWith(lower(hex(trace_id)), {digits:String}) or startsWith(leftPad(lower(hex(span_id)), 16, '0'), {digits:String})
group by trace
order by trace
limit 6
