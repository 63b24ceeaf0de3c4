-- Notes the minutes with calls that the draft prices otherwise, under its number; reads what `repriced` reads.
insert into repriced_minutes (book, minute)
select distinct {book:UInt32} as book, toStartOfMinute(ts) as minute
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
settings do_not_merge_across_partitions_select_final = 1
