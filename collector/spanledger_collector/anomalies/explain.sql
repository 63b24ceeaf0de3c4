-- Where a change is: every value of one dimension, and every pair of two, that explains half of the change or more. One row each, the best first.
-- The best is the one after which least is left to wonder at: its own calls are scaled back to what was expected of them, and every cell of one or
-- two dimensions that shares calls with it is compared again with its own last days. A tenant that varies from day to day is no surprise, a
-- feature that grew in all tenants is. `lift` is how much larger its share of the cost is than expected: near 0, it grew as all did and explains
-- nothing. Expectations are those of decompose.sql, of each cell by itself.
with
  toDateTime({started:UInt32}, 'UTC') as started, toDateTime({since:UInt32}, 'UTC') as since, toDateTime({until:UInt32}, 'UTC') as until,
  if({user:String} = '', 'cell', 'actor') as scope_part,
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
      if(is_now, 0, 1 + intDiv(dateDiff('second', bucket, started) - 1, 86400)) as day,
      multiIf(is_now or {by_ratio:UInt8} = 1, 1., days = 0, length / before,
        bucket >= started - toIntervalDay(days), (intDiv(length, 144) + (modulo(intDiv(dateDiff('second', since - interval 60 day, bucket), 600), 144) < modulo(length, 144))) / days, 0.) as times
    from scoped),
  cells as (
    select part, arrayFilter(v -> v.2 not in ('', '/'), [('tenant', toString(tenant)), ('feature', feature_), ('model', toString(model_)), ('service', toString(service_)), ('user', user_)]) as own,
      sumIf(usd, is_now) as now_usd, sumIf(n, is_now) as now_calls,
      [sumIf(usd * times, day = 1), sumIf(usd * times, day = 2), sumIf(usd * times, day = 3), sumIf(usd * times, day = 4), sumIf(usd * times, day = 5), sumIf(usd * times, day = 6), sumIf(usd * times, day = 7)] as day_usd,
      [sumIf(n, day = 1), sumIf(n, day = 2), sumIf(n, day = 3), sumIf(n, day = 4), sumIf(n, day = 5), sumIf(n, day = 6), sumIf(n, day = 7)] as day_calls
    from weighted
    group by part, own),
  -- the causes that a cell is part of: all, each of its values, each pair of them
  summed as (
    select part, cause, sum(now_usd) as a, sum(now_calls) as n1, sumForEach(day_usd) as was_usd, sumForEach(day_calls) as was_calls, arraySum(was_usd) as total, arraySum(was_calls) as n0,
      if({by_ratio:UInt8} = 1, if(n0 > 0, total * n1 / n0, 0), total) as f,
      -- what it was expected to be, from each day by itself
      arraySlice(arrayMap((x, k) -> multiIf({by_ratio:UInt8} = 0, x * days, k > 0, x * n1 / k, f), was_usd, was_calls), 1, days) as daily,
      groupArray((own, now_usd, if({by_ratio:UInt8} = 1, if(arraySum(day_calls) > 0, arraySum(day_usd) * now_calls / arraySum(day_calls), 0), arraySum(day_usd)))) as inside
    from (
      select *, arrayJoin(arrayConcat([[]], arrayMap(x -> [x], own), arrayMap(p -> [own[p.1], own[p.2]], arrayFilter(p -> p.2 <= length(own), [(1, 2), (1, 3), (1, 4), (1, 5), (2, 3), (2, 4), (2, 5), (3, 4), (3, 5), (4, 5)])))) as cause
      from cells)
    group by part, cause),
  -- how far off a cell usually is: by its days, by a twentieth, and by chance, which is larger for few calls
  judged as (
    select part, cause, inside, a, f,
      maxIf(a, cause = [] and part = scope_part) over () as whole_a, maxIf(f, cause = [] and part = scope_part) over () as whole_f, maxIf(n1, cause = [] and part = scope_part) over () as whole_n,
      whole_a / greatest(whole_n, 1) as call_usd,
      sqrt(if(days > 1, arrayReduce('varSamp', daily), 0) + call_usd * (f + call_usd) + pow(0.05 * f, 2) + 1e-30) as usual,
      if(whole_a = whole_f, 0, (a - f) / (whole_a - whole_f)) as ep,
      f / greatest(whole_f, 1e-15) as p, a / greatest(whole_a, 1e-15) as q, 0.5 * (p * log(2 * p / (p + q) + 1e-12) + q * log(2 * q / (p + q) + 1e-12)) as lift,
      -- cells have no user, and actors all else but the tenant and the model
      cause != [] and ep >= 0.5 and (part = 'cell') = not has(arrayMap(x -> x.1, cause), 'user') as may_be
    from summed),
  -- each cell with all the causes that it is part of, and then each that may be it with each that it would change
  crossed as (
    select part, arrayJoin(arrayFilter(x -> x.5, causes)) as suspect, arrayJoin(causes) as seen, a, f
    from (
      select part, cell.1 as own, any(cell.2) as a, any(cell.3) as f, groupArray((cause, c_a, c_f, usual, may_be, ep, lift)) as causes
      from (select part, cause, a as c_a, f as c_f, usual, may_be, ep, lift, arrayJoin(inside) as cell from judged)
      group by part, own)
    where seen.1 != []),
  shared as (
    select part, suspect, seen, sum(a) as both_a, sum(f) as both_f,
      least(pow((seen.2 - seen.3) / seen.4, 2), 25) as before_,
      least(pow((seen.2 - if(suspect.2 > 0, both_a * (1 - suspect.3 / suspect.2), -both_f) - seen.3) / seen.4, 2), 25) as after_
    from crossed
    group by part, suspect, seen),
  ranked as (
    select part, cause, ep, lift, gain / greatest(arraySum(x -> x.2, groupUniqArrayArray(touched) over (partition by part)), 1e-9) as explained
    from (
      select part, suspect.1 as cause, suspect.6 as ep, suspect.7 as lift, sum(before_ - after_) as gain, groupUniqArray((seen.1, before_)) as touched
      from shared
      group by part, cause, ep, lift))
select arrayMap(x -> concat(x.1, '=', x.2), cause) as names, ep, lift
from ranked
-- a user who explains about as much as a cell is the better answer: he is less than it
order by round(explained + 0.1 * (part = 'actor'), 9) desc, length(cause), names
limit 100
