-- Services of the last seven days, silent ones first.
select if(service = '', '(no service.name)', service) as of_service, last_span_at, silent_seconds, spans, genai_spans
from services_seen
order by silent_seconds desc, of_service
limit 100
