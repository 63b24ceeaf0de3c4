-- One row: what a scope cost since a moment, what it would have cost, and the difference by driver (log-mean Divisia, LMDI-I), which sums to it
-- exactly. Of a changed ratio the expectation is the week before at today's calls; else it is the same time of day, of the seven days before,
-- or of as many as there are. A segment is a model, and within one model a feature. `relative_error` is what the sum was off before the rest of
-- the rounding went to the largest effect. `moved`: the calls that models have less or more than at their time of day, the smaller of the
-- two by the larger. Near 1 calls went from one model to another, near 0 there only are more of some, or fewer.
with
  toDateTime({started:UInt32}, 'UTC') as started, toDateTime({since:UInt32}, 'UTC') as since, toDateTime({until:UInt32}, 'UTC') as until,
  scoped as (
    select *, if({model:String} = '', concat(provider, '/', model), concat(team, '/', feature)) as segment, bucket >= since as is_now
    from spend_buckets final
    where (bucket >= started - interval 7 day and bucket < started or bucket >= since and bucket < until) and part = if({user:String} = '', 'cell', 'actor')
      and ({tenant:String} = '' or tenant = {tenant:String}) and ({team:String} = '' or team = {team:String}) and ({feature:String} = '' or feature = {feature:String})
      and ({provider:String} = '' or provider = {provider:String}) and ({model:String} = '' or model = {model:String}) and ({user:String} = '' or user = {user:String})),
  (select (minIf(bucket, is_now = 0), sumIf(priced_calls, is_now), sumIf(priced_calls, is_now = 0), countIf(is_now = 0)) from scoped) as ends,
  toUInt32(intDiv(dateDiff('second', since, until), 600)) as length,
  -- whole days of history; less than one is taken as evenly spread
  if(assumeNotNull(ends.4) = 0, 0, least(7, intDiv(dateDiff('second', assumeNotNull(ends.1), started), 86400))) as days,
  toUInt32(greatest(0, intDiv(dateDiff('second', assumeNotNull(ends.1), started), 600))) as before,
  -- a reference's ten minutes count as often as their time of day is in the incident, shared by the days
  weighted as (
    select segment, is_now, k,
      multiIf(
        days = 0, toUInt64(length),
        bucket >= started - toIntervalDay(days), toUInt64(intDiv(length, 144) + (modulo(intDiv(dateDiff('second', since - interval 60 day, bucket), 600), 144) < modulo(length, 144))),
        toUInt64(0)) as daily_times,
      multiIf(is_now, toUInt64(1), {by_ratio:UInt8} = 1, toUInt64(assumeNotNull(ends.2)), daily_times) as times,
      calls, priced_calls, side, tokens, usd
    from scoped
    array join
      ['uncached', 'cache_read', 'cache_write', 'output', 'other'] as k,
      [uncached_tokens + cache_read_tokens + cache_write_tokens, uncached_tokens + cache_read_tokens + cache_write_tokens, uncached_tokens + cache_read_tokens + cache_write_tokens, output_tokens, priced_calls] as side,
      [uncached_tokens, cache_read_tokens, cache_write_tokens, output_tokens, priced_calls] as tokens,
      [uncached_usd, cache_read_usd, cache_write_usd, output_usd, other_usd] as usd),
  greatest(toUInt64(1), if(days = 0, toUInt64(before), toUInt64(days))) as daily_divisor,
  if({by_ratio:UInt8} = 1, greatest(toUInt64(1), toUInt64(assumeNotNull(ends.3))), daily_divisor) as divisor,
  kinds as (
    select segment, k,
      sumIf(toDecimal256(usd, 24), is_now) as now_usd, sumIf(toDecimal256(usd, 24) * times, not is_now) / divisor as was_usd,
      sumIf(toFloat64(priced_calls), is_now) as n1, sumIf(toFloat64(priced_calls) * times, not is_now) / divisor as n0,
      sumIf(toFloat64(side), is_now) as s1, sumIf(toFloat64(side) * times, not is_now) / divisor as s0,
      sumIf(toFloat64(tokens), is_now) as q1, sumIf(toFloat64(tokens) * times, not is_now) / divisor as q0,
      n1 - sumIf(toFloat64(priced_calls) * daily_times, not is_now) / daily_divisor as more,
      sumIf(calls, is_now) as calls_now
    from weighted
    group by segment, k),
  -- the whole: calls of all segments
  (select (sum(n0), sum(n1)) from kinds where k = 'other') as whole,
  ratios as (
    select *, 1e-12 as eps,
      greatest(assumeNotNull(whole.1), eps) as all0, greatest(assumeNotNull(whole.2), eps) as all1,
      greatest(n0, eps) as m0, greatest(n1, eps) as m1,
      -- what one period lacks it takes from the other: a segment that is new is a change of the mix alone
      multiIf(n0 > 0 and s0 > 0, s0 / n0, n1 > 0 and s1 > 0, s1 / n1, 1) as size0, multiIf(n1 > 0 and s1 > 0, s1 / n1, n0 > 0 and s0 > 0, s0 / n0, 1) as size1,
      multiIf(s0 > 0, greatest(q0 / s0, eps), s1 > 0, greatest(q1 / s1, eps), 1) as share0, multiIf(s1 > 0, greatest(q1 / s1, eps), s0 > 0, greatest(q0 / s0, eps), 1) as share1,
      multiIf(q0 > 0, toFloat64(was_usd) / q0, q1 > 0, toFloat64(now_usd) / q1, 0) as price0, multiIf(q1 > 0, toFloat64(now_usd) / q1, q0 > 0, toFloat64(was_usd) / q0, 0) as price1
    from kinds),
  logs as (
    select *, m0 * size0 * share0 * price0 as c0, m1 * size1 * share1 * price1 as c1,
      if(abs(c1 - c0) <= 1e-12 * greatest(c1, c0), c0, (c1 - c0) / log(c1 / c0)) as weight
    from ratios
    where price0 > 0 and price1 > 0),
  effects as (
    select [sum(weight * log(all1 / all0)), sum(weight * log(size1 / size0)), sum(weight * log((m1 / all1) / (m0 / all0))), sum(weight * log(share1 / share0)), sum(weight * log(price1 / price0))] as raw
    from logs),
  (select (sum(now_usd), sum(was_usd), sumIf(calls_now, k = 'other'), sumIf(greatest(more, 0), k = 'other'), sumIf(greatest(-more, 0), k = 'other')) from kinds) as totals,
  toDecimal128(assumeNotNull(totals.1), 24) as actual, toDecimal128(assumeNotNull(totals.2), 24) as expected, actual - expected as impact,
  (select raw from effects) as raw_effects,
  arrayMap(x -> toDecimal128(x, 24), raw_effects) as rounded,
  indexOf(arrayMap(x -> abs(x), raw_effects), arrayMax(arrayMap(x -> abs(x), raw_effects))) as largest
select
  actual as actual_usd, expected as expected_usd, impact as impact_usd, toUInt64(assumeNotNull(totals.3)) as calls, toUInt8(assumeNotNull(days)) as reference_days,
  arrayMap((x, i) -> x + if(i = largest, impact - arraySum(rounded), toDecimal128(0, 24)), rounded, arrayEnumerate(rounded)) as effects,
  abs(arraySum(raw_effects) - toFloat64(impact)) / greatest(abs(toFloat64(impact)), 1e-12) as relative_error,
  -- of one model the segments are features
  if({model:String} = '', least(assumeNotNull(totals.4), assumeNotNull(totals.5)) / greatest(assumeNotNull(totals.4), assumeNotNull(totals.5), 1e-12), 0.) as moved
