-- State of unknown cost that has become more frequent: its part of the calls of the last 60 minutes, 0 to 1. Models without a price have
-- a rule of their own.
select completeness, toFloat64(calls_now / all_now) as value
from (
  select
    completeness, sumIf(calls, is_now) as calls_now, sumIf(calls, not is_now) as calls_before, any(is_unknown) as unknown,
    sum(calls_now) over () as all_now, sum(calls_before) over () as all_before
  from (select completeness, calls, unknown as is_unknown, bucket > now('UTC') - interval 60 minute as is_now from costs where bucket > now('UTC') - interval 7 day)
  group by completeness)
where unknown = 1 and completeness != 'unpriced_model'
  and all_now >= {unknown_calls_min} and value >= {unknown_share} and value >= {unknown_growth} * if(all_before = 0, 0, calls_before / all_before)
order by value desc
