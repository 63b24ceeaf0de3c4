-- The GenAI spans of one trace: which of them bill, and why.
select ts, span_id, parent_span_id, service as of_service, operation as of_operation, model_raw as of_model, emitter as of_emitter, input_tokens, output_tokens, verdict as judged, reason as why
from spans_judged
where trace_id = ${trace:singlequote} and trace_id != ''
order by ts, span_id
limit 500
