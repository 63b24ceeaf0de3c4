-- The calls of one session, in their order. Their times are looked up first: only these calls are priced.
select
  ts, trace_id, feature as of_feature, model as of_model, toFloat64(cost_usd) as usd, input_tokens, output_tokens, duration_ms, completeness as state
from calls
where ts in (select ts from genai_calls where $__timeFilter(ts) and session = ${session:singlequote}) and session = ${session:singlequote} and session != '' and {filters}
order by ts
limit 200
