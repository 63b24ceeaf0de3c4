-- Notes the minutes with calls that the draft prices otherwise, under its number.
insert into repriced_minutes (book, minute)
select distinct {book:UInt32} as book, toStartOfMinute(ts) as minute
from repriced_calls
where ts >= toDateTime({since:UInt32}, 'UTC') and ts < toDateTime({until:UInt32}, 'UTC')
  and (empty({models:Array(String)}) or has({models:Array(String)}, concat(provider, '/', model))
    or (provider_raw, model_raw) in (select provider_raw, model_raw from drafted_aliases))
