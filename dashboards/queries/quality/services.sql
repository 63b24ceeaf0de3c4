-- Services of the last seven days that may be blind spots: without a name, without any GenAI span, or silent for an hour.
select
  if(service = '', '(no service.name)', service) as of_service,
  multiIf(service = '', 'names no service', genai_spans = 0, 'sends spans, but no LLM call', 'silent') as doubt, last_span_at, silent_seconds, spans, genai_spans
from services_seen
where service = '' or genai_spans = 0 or silent_seconds > 3600
order by silent_seconds, of_service
limit 100
