-- One row per team, model and completeness state of one run: the ledger's side of the proof.
select team, if(model = '', model_raw, model) as model_name, completeness as state, count() as call_count,
  sum(input_tokens) as input_count, sum(cache_read_tokens) as cache_read_count, sum(cache_write_tokens) as cache_write_count,
  sum(cache_write_1h_tokens) as cache_write_1h_count, sum(output_tokens) as output_count, sum(reasoning_tokens) as reasoning_count,
  sum(cost_usd) as sum_usd
from calls
where environment = {environment:String}
group by team, model_name, state
order by team, model_name, state
