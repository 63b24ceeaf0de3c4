-- Failed calls of the time range by type of error and model; some were billed all the same. Their times are looked up first: only these
-- calls are priced.
select
  if(error_type = '', '(not told)', error_type) as of_type, model as of_model, count() as failed_calls, sum(attempts) as tries,
  toFloat64(sum(cost_usd)) as known_usd, countIf(isNull(cost_usd)) as unknown_calls, max(ts) as last_at, argMax(trace_id, ts) as example_trace
from calls
where ts in (select ts from genai_calls where $__timeFilter(ts) and status = 'error') and status = 'error' and {filters}
group by of_type, of_model
order by failed_calls desc, of_type, of_model
limit 50
