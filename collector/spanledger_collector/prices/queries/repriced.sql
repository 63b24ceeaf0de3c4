-- What the draft changes, by month, tenant, team, provider and model; a call that moves to another model is on both. Only the calls that can
-- be concerned are read: of the models (by their names as delivered, so that the rest is dropped before it is priced), of the names with a
-- drafted alias, and those that fit a rule of a contract (tenant, account, deployment, environment, service) with one of the providers.
select
  month, tenant, team, side.1 as of_provider, side.2 as of_model,
  sum(all_calls) as calls, sum(all_input_tokens) as input_tokens, sum(all_output_tokens) as output_tokens,
  sum(newly_priced * side.4) as newly_priced_calls, sum(newly_unknown * side.3) as newly_unknown_calls,
  sum(all_old_usd * side.3) as old_usd, sum(all_new_usd * side.4) as new_usd
from (
  select
    month, tenant, team, toString(provider) as old_provider, toString(model) as old_model, new_provider, new_model,
    count() as all_calls, sum(input_tokens) as all_input_tokens, sum(output_tokens) as all_output_tokens,
    countIf(new_completeness in ('priced', 'failed_not_billed', 'notional') and completeness not in ('priced', 'failed_not_billed', 'notional')) as newly_priced,
    countIf(completeness in ('priced', 'failed_not_billed', 'notional') and new_completeness not in ('priced', 'failed_not_billed', 'notional')) as newly_unknown,
    sum(old_usd) as all_old_usd, sum(new_usd) as all_new_usd
  from repriced_calls
  where ts >= toDateTime({since:UInt32}, 'UTC') and ts < toDateTime({until:UInt32}, 'UTC')
    and (
      (provider_raw, model_raw) in (
        select provider_raw, model_raw from drafted_aliases
        union distinct
        select distinct provider_raw, model_raw from genai_calls where has({models:Array(String)}, concat(provider, '/', model)))
      or arrayExists(
        rule -> (rule.1 = '' or rule.1 = tenant) and (rule.2 = '' or rule.2 = account) and (rule.3 = '' or rule.3 = model_raw)
          and (rule.4 = '' or rule.4 = environment) and (rule.5 = '' or rule.5 = service),
        {rules:Array(Tuple(String, String, String, String, String))})
      and (empty({providers:Array(String)})
        or (provider_raw, model_raw) in (select distinct provider_raw, model_raw from genai_calls where has({providers:Array(String)}, toString(provider)))))
  group by month, tenant, team, old_provider, old_model, new_provider, new_model)
array join if((old_provider, old_model) = (new_provider, new_model),
  [(old_provider, old_model, 1, 1)], [(old_provider, old_model, 1, 0), (new_provider, new_model, 0, 1)]) as side
group by month, tenant, team, of_provider, of_model
order by month, tenant, team, of_provider, of_model
settings do_not_merge_across_partitions_select_final = 1
