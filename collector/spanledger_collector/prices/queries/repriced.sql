-- What the draft changes, by month, tenant, team, provider and model; and the minutes that it changes, as rows with nothing else. A call that
-- moves to another model is counted where it goes, and its cost is on both. In one reading of the history.
select
  any(is_minute) as is_minute, minute, month, tenant, team, side.1 as of_provider, side.2 as of_model,
  sum(all_calls * side.4) as calls, sum(all_input_tokens * side.4) as input_tokens, sum(all_output_tokens * side.4) as output_tokens,
  sum(newly_priced * side.4) as newly_priced_calls, sum(newly_unknown * side.3) as newly_unknown_calls,
  sum(all_old_usd * side.3) as old_usd, sum(all_new_usd * side.4) as new_usd,
  toBool(month in (select month from closed_months)) as is_closed,
  sum(old_unknown * side.4) as old_unknown_calls, sum(new_unknown * side.4) as new_unknown_calls
from (
  select
    grouping(month) as is_minute, toUInt32(toStartOfMinute(ts)) as minute, month, tenant, team, toString(provider) as old_provider, toString(model) as old_model, new_provider, new_model,
    count() as all_calls, sum(input_tokens) as all_input_tokens, sum(output_tokens) as all_output_tokens,
    countIf(new_completeness in ('priced', 'failed_not_billed', 'notional') and completeness not in ('priced', 'failed_not_billed', 'notional')) as newly_priced,
    countIf(completeness in ('priced', 'failed_not_billed', 'notional') and new_completeness not in ('priced', 'failed_not_billed', 'notional')) as newly_unknown,
    countIf(completeness not in ('priced', 'failed_not_billed', 'notional')) as old_unknown, countIf(new_completeness not in ('priced', 'failed_not_billed', 'notional')) as new_unknown,
    sum(old_usd) as all_old_usd, sum(new_usd) as all_new_usd
  from repriced_calls
  {concerned}
  group by grouping sets ((month, tenant, team, old_provider, old_model, new_provider, new_model), (minute)))
array join if((old_provider, old_model) = (new_provider, new_model),
  [(old_provider, old_model, 1, 1)], [(old_provider, old_model, 1, 0), (new_provider, new_model, 0, 1)]) as side
group by minute, month, tenant, team, of_provider, of_model
having is_minute = 1 or calls != 0 or old_usd != 0
order by minute, month, tenant, team, of_provider, of_model
settings do_not_merge_across_partitions_select_final = 1
