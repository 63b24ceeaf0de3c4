-- What the draft changes, by month, tenant, team, provider and model; a call that moves to another model is on both. Only the models that
-- can be concerned are read (empty: any), and those with a drafted alias, in the time that can be.
select
  month, tenant, team, side.1 as of_provider, side.2 as of_model,
  count() as calls, sum(input_tokens) as sum_input_tokens, sum(output_tokens) as sum_output_tokens,
  countIf(side.4 and new_completeness in ('priced', 'failed_not_billed', 'notional') and completeness not in ('priced', 'failed_not_billed', 'notional')) as newly_priced_calls,
  countIf(side.3 and completeness in ('priced', 'failed_not_billed', 'notional') and new_completeness not in ('priced', 'failed_not_billed', 'notional')) as newly_unknown_calls,
  sum(old_usd * side.3) as sum_old_usd, sum(new_usd * side.4) as sum_new_usd
from repriced_calls
array join if(toString(provider) = new_provider and toString(model) = new_model,
  [(new_provider, new_model, toUInt8(1), toUInt8(1))],
  [(toString(provider), toString(model), toUInt8(1), toUInt8(0)), (new_provider, new_model, toUInt8(0), toUInt8(1))]) as side
where ts >= toDateTime({since:UInt32}, 'UTC') and ts < toDateTime({until:UInt32}, 'UTC')
  and (empty({models:Array(String)}) or has({models:Array(String)}, concat(provider, '/', model))
    or (provider_raw, model_raw) in (select provider_raw, model_raw from drafted_aliases))
group by month, tenant, team, of_provider, of_model
order by month, tenant, team, of_provider, of_model
