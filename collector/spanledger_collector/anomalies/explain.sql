-- Where a change is: every value of one dimension, and every pair of two, by explanatory power times surprise. One row per cell that explains
-- half of the change or more, the best first. Expectations are those of decompose.sql, of each cell by itself.
with
  toDateTime({started:UInt32}, 'UTC') as started, toDateTime({since:UInt32}, 'UTC') as since, toDateTime({until:UInt32}, 'UTC') as until,
  scoped as (
    select *, bucket >= since as is_now,
      -- hours and not ten minutes: the shape within an hour says nothing about where
      toFloat64(known_usd) as usd, toFloat64(priced_calls) as n
    from spend_buckets final
    where (bucket >= started - interval 7 day and bucket < started or bucket >= since and bucket < until) and part != ''
      and ({tenant:String} = '' or tenant = {tenant:String}) and ({team:String} = '' or part = 'cell' and team = {team:String}) and ({feature:String} = '' or part = 'cell' and feature = {feature:String})
      and ({provider:String} = '' or provider = {provider:String}) and ({model:String} = '' or model = {model:String}) and ({user:String} = '' or part = 'actor' and user = {user:String})),
  assumeNotNull((select minIf(bucket, is_now = 0) from scoped)) as first,
  toUInt32(intDiv(dateDiff('second', since, until), 600)) as length,
  if(first = toDateTime(0, 'UTC'), 0, least(7, intDiv(dateDiff('second', first, started), 86400))) as days,
  greatest(1, intDiv(dateDiff('second', first, started), 600)) as before,
  weighted as (
    select part, tenant, concat(team, '/', feature) as feature_, model as model_, service as service_, user as user_, is_now, usd, n,
      multiIf(is_now, 1., days = 0, length / before,
        bucket >= started - toIntervalDay(days), (intDiv(length, 144) + (modulo(intDiv(dateDiff('second', since - interval 60 day, bucket), 600), 144) < modulo(length, 144))) / days, 0.) as times
    from scoped),
  cells as (
    select part, arrayFilter(v -> v.2 not in ('', '/'), [('tenant', toString(tenant)), ('feature', feature_), ('model', toString(model_)), ('service', toString(service_)), ('user', user_)]) as own,
      sumIf(usd, is_now) as a, sumIf(usd * times, not is_now) as by_time, sumIf(usd, not is_now) as week_usd, sumIf(n, is_now) as n1, sumIf(n, not is_now) as n0
    from weighted
    group by part, own),
  causes as (
    select cause, sum(a) as a, if({by_ratio:UInt8} = 1, if(sum(n0) > 0, sum(week_usd) * sum(n1) / sum(n0), 0), sum(by_time)) as f
    from (
      select *, arrayJoin(arrayConcat(arrayMap(x -> [x], own), arrayMap(p -> [own[p.1], own[p.2]], arrayFilter(p -> p.2 <= length(own), [(1, 2), (1, 3), (1, 4), (1, 5), (2, 3), (2, 4), (2, 5), (3, 4), (3, 5), (4, 5)])))) as cause
      from cells)
    -- cells have no user, and actors all else but the tenant and the model
    where (part = 'cell') = not has(arrayMap(x -> x.1, cause), 'user')
    group by cause),
  assumeNotNull((select if({by_ratio:UInt8} = 1, if(sum(n0) > 0, sum(week_usd) * sum(n1) / sum(n0), 0), sum(by_time)) from cells where part = if({user:String} = '', 'cell', 'actor'))) as whole_f,
  assumeNotNull((select sum(a) from cells where part = if({user:String} = '', 'cell', 'actor'))) as whole_a
select cause, ep, surprise * least(ep, 1 / ep) * (1 - 0.12 * (length(cause) - 1)) as score
from (
  select arrayMap(x -> concat(x.1, '=', x.2), cause) as cause, (a - f) / (whole_a - whole_f) as ep, f / greatest(whole_f, 1e-15) as p, a / greatest(whole_a, 1e-15) as q,
    0.5 * (p * log(2 * p / (p + q) + 1e-12) + q * log(2 * q / (p + q) + 1e-12)) as surprise
  from causes
  where a - f != 0)
where ep >= 0.5
order by score desc, cause
limit 100
