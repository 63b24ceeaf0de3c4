-- Example traces of the chosen incident, the dearest first, with what their calls cost.
select trace as trace_id, min(ts) as first_at, count() as calls, toFloat64(sum(cost_usd)) as known_usd, countIf(isNull(cost_usd)) as unknown_calls, sum(input_tokens) as tokens_in, sum(output_tokens) as tokens_out, any(model) as of_model
from (select arrayJoin(trace_ids) as trace from anomalies where incident_id = {chosen_incident}) as example
inner join (
  select ts, trace_id, cost_usd, input_tokens, output_tokens, model
  from calls
  where ts in (
    select ts
    from genai_calls
    where ts >= (select started_at - interval 2 hour from anomalies where incident_id = {chosen_incident})
      and trace_id in (select toFixedString(unhex(arrayJoin(trace_ids)), 16) from anomalies where incident_id = {chosen_incident}))) as calls_of on calls_of.trace_id = example.trace
group by trace
order by known_usd desc
limit 5
