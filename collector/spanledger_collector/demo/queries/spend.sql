-- One row per value of each dimension: what the money went to. The rollups answer, as for every dashboard; only the steps of
-- an agent, which have no rollup of their own, are summed from the calls.
select dimension, name, call_count, input_count, output_count, sum_usd, unknown_count
from (
  select 'team' as dimension, team as name, sum(calls) as call_count, sum(input_tokens) as input_count, sum(output_tokens) as output_count,
    sum(known_usd) as sum_usd, sum(unknown_calls) as unknown_count
  from cost_by_team group by name
  union all
  select 'feature' as dimension, feature as name, sum(calls) as call_count, sum(input_tokens) as input_count, sum(output_tokens) as output_count,
    sum(known_usd) as sum_usd, sum(unknown_calls) as unknown_count
  from cost_by_feature group by name
  union all
  select 'model' as dimension, model as name, sum(calls) as call_count, sum(input_tokens) as input_count, sum(output_tokens) as output_count,
    sum(known_usd) as sum_usd, sum(unknown_calls) as unknown_count
  from cost_by_model group by name
  union all
  select 'user' as dimension, user as name, sum(calls) as call_count, sum(input_tokens) as input_count, sum(output_tokens) as output_count,
    sum(known_usd) as sum_usd, sum(unknown_calls) as unknown_count
  from cost_by_user group by name
  union all
  select 'agent step' as dimension, concat(agent, ': ', agent_step) as name, count() as call_count, sum(input_tokens) as input_count, sum(output_tokens) as output_count,
    ifNull(sum(cost_usd), 0) as sum_usd, countIf(isNull(cost_usd)) as unknown_count
  from calls where agent_step != '' group by name)
order by dimension, sum_usd desc, name
