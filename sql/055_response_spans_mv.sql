-- Feeds the index of response ids.
create or replace materialized view {db}.response_spans_mv to {db}.response_spans {as_its_maker}as
select distinct cityHash64(response_id) as response_key, trace_id, toDate(ts) as day
from {db}.genai_spans
where response_id != '' and greatest(has_usage, length(response_id) >= 24);
