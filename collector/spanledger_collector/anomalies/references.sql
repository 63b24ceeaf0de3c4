-- What was normal for each series, one row for each of the hours. A series is one array over time; a window is the difference of two running
-- sums. A reference ends a whole window before the hour, so that nothing is compared with itself.
with
  {hours:Array(UInt32)} as hours, toUInt32(arrayMin(hours) - 777600) as first,
  raw as (
    select
      series, any(dimension) as dimension_, any(names) as names_, min(toUnixTimestamp(bucket)) as seen,
      groupArrayInsertAt(0., {reference_buckets:UInt32})(usd, i) as usd_a, groupArrayInsertAt(0., {reference_buckets:UInt32})(calls, i) as calls_a, groupArrayInsertAt(0., {reference_buckets:UInt32})(priced_calls, i) as priced_a,
      groupArrayInsertAt(0., {reference_buckets:UInt32})(tokens, i) as tokens_a, groupArrayInsertAt(0., {reference_buckets:UInt32})(weighed, i) as weighed_a, groupArrayInsertAt(0., {reference_buckets:UInt32})(input, i) as input_a, groupArrayInsertAt(0., {reference_buckets:UInt32})(cached, i) as cached_a,
      groupArrayInsertAt(0., {reference_buckets:UInt32})(attempts, i) as attempts_a, groupArrayInsertAt(0., {reference_buckets:UInt32})(measured, i) as measured_a, groupArrayInsertAt(0., {reference_buckets:UInt32})(chars, i) as chars_a,
      groupArrayInsertAt(0., {reference_buckets:UInt32})(session_max, i) as session_a, groupArrayInsertAt(0., {reference_buckets:UInt32})(repeats, i) as repeats_a, groupArrayInsertAt(0., {reference_buckets:UInt32})(largest, i) as largest_a,
      groupArrayInsertAt(toUInt64(0), {reference_buckets:UInt32})(fingerprint, i) as fingerprint_a
    from (
      select *, toUInt32(intDiv(toUnixTimestamp(bucket) - first, 600)) as i
      from series_buckets
      where bucket >= toDateTime(first, 'UTC') and bucket < toDateTime(arrayMax(hours), 'UTC') and has({dimensions:Array(String)}, dimension) and series % {shards:UInt32} = {shard:UInt32})
    group by series),
  running as (
    select *, arrayCumSum(usd_a) as usd_c, arrayCumSum(calls_a) as calls_c, arrayCumSum(priced_a) as priced_c, arrayCumSum(tokens_a) as tokens_c, arrayCumSum(weighed_a) as weighed_c, arrayCumSum(input_a) as input_c, arrayCumSum(cached_a) as cached_c, arrayCumSum(attempts_a) as attempts_c, arrayCumSum(repeats_a) as repeats_c
    from raw),
  windows as (
    select *,
      arrayMap((a, b) -> a - b, usd_c, arrayShiftRight(usd_c, 6, 0.)) as usd_1, arrayMap((a, b) -> a - b, usd_c, arrayShiftRight(usd_c, 36, 0.)) as usd_6, arrayMap((a, b) -> a - b, usd_c, arrayShiftRight(usd_c, 144, 0.)) as usd_24,
      arrayMap((a, b) -> a - b, priced_c, arrayShiftRight(priced_c, 6, 0.)) as n_1, arrayMap((a, b) -> a - b, priced_c, arrayShiftRight(priced_c, 36, 0.)) as n_6, arrayMap((a, b) -> a - b, priced_c, arrayShiftRight(priced_c, 144, 0.)) as n_24,
      arrayMap((a, b) -> a - b, tokens_c, arrayShiftRight(tokens_c, 36, 0.)) as tokens_6, arrayMap((a, b) -> a - b, tokens_c, arrayShiftRight(tokens_c, 144, 0.)) as tokens_24,
      arrayMap((a, b) -> a - b, calls_c, arrayShiftRight(calls_c, 6, 0.)) as calls_1, arrayMap((a, b) -> a - b, calls_c, arrayShiftRight(calls_c, 36, 0.)) as calls_6,
      arrayMap(w -> arrayMap((a, b, c, d) -> (a - b) / greatest(c - d, 1), cached_c, arrayShiftRight(cached_c, w, 0.), input_c, arrayShiftRight(input_c, w, 0.)), [6, 36, 144]) as shares,
      arrayMap((a, b, c, d) -> (a - b) / greatest(c - d, 1), repeats_c, arrayShiftRight(repeats_c, 6, 0.), calls_c, arrayShiftRight(calls_c, 6, 0.)) as repeats_1,
      arrayMap((a, b, c, d) -> (a - b) / greatest(c - d, 1), attempts_c, arrayShiftRight(attempts_c, 6, 0.), calls_c, arrayShiftRight(calls_c, 6, 0.)) as attempts_1,
      arrayMap((usd_w, w) -> arrayMap((a, b, c) -> a / greatest(b - c, 1), usd_w, weighed_c, arrayShiftRight(weighed_c, w, 0.)), [usd_1, usd_6, usd_24], [6, 36, 144]) as prices_, arrayMap((a, n) -> a / greatest(n, 1), tokens_6, n_6) as size_6, arrayMap((a, n) -> a / greatest(n, 1), tokens_24, n_24) as size_24, arrayMap((a, n) -> a / greatest(n, 1), usd_24, n_24) as unit_24
    from running),
  hourly as (
    select *, arrayJoin(hours) as hour, toInt32(intDiv(hour - first, 600)) as h, least((hour - seen) / 86400., 9.) as days_,
      -- the last windows that end a whole window before the hour, over seven days
      arraySlice(n_1, h - 1013, 1008) as k_1, arraySlice(n_6, h - 1043, 1008) as k_6, arraySlice(n_24, h - 1151, 1008) as k_24, arraySlice(calls_1, h - 1013, 1008) as m_1, [h - 1013, h - 1043, h - 1151] as starts,
      arrayMap(d -> h - 144 * d, range(7)) as ends,
      arrayMap(e -> log(greatest(unit_24[e], 1e-15)), ends) as units, arrayMap(e -> log(greatest(size_24[e], 1e-15)), ends) as sizes,
      arrayMin(arrayMap(e -> n_24[e], ends)) >= 20 as daily,
      arrayFlatten(arrayMap(a -> arrayMap(b -> (a, b), range(a + 1, 7)), range(6))) as pairs
    from windows
    where hour > seen),
  trends as (
    select *, arrayMap(values_ -> (
      arraySum(arrayMap(p -> sign(values_[p.1 + 1] - values_[p.2 + 1]), pairs)),
      arrayReduce('quantileExact(0.5)', arrayMap(p -> (values_[p.1 + 1] - values_[p.2 + 1]) / (p.2 - p.1), pairs)) as slope,
      1.4826 * arrayReduce('quantileExact(0.5)', arrayMap(d -> abs(values_[d + 1] - (arrayReduce('quantileExact(0.5)', values_) + slope * (3. - d))), range(7)))), [units, sizes]) as trend
    from hourly)
select
  toDateTime(hour, 'UTC') as at, series, dimension_ as dimension, names_ as names, toFloat32(days_) as days,
  arraySum(arraySlice(usd_a, h - 1013, 1008)) / (24. * least(7., greatest(days_, 1 / 24))) as hour_usd, arraySum(arraySlice(calls_a, h - 1013, 1008)) / (24. * least(7., greatest(days_, 1 / 24))) as hour_calls,
  arrayMax(arraySlice(usd_1, h - 1013, 1008)) as usd_1h_max,
  arrayReduce('quantileExact(0.99)', arraySlice(usd_6, h - 1043, 1008)) as usd_6h_q99,
  arrayMap((v, k, from, least_) -> if(arrayCount(n -> n >= 10, k) < least_, 0., arrayReduce('quantileExactIf(0.9)', arraySlice(v, from, 1008), arrayMap(n -> n >= 10, k))), prices_, [k_1, k_6, k_24], starts, [36, 72, 72]) as weighed_prices,
  if(arrayCount(n -> n >= 20, k_6) < 72, 0., arrayReduce('quantileExactIf(0.95)', arraySlice(size_6, h - 1043, 1008), arrayMap(n -> n >= 20, k_6))) as tokens_6h_q95,
  if(arrayCount(n -> n >= 20, k_24) < 72, 0., arrayReduce('quantileExactIf(0.95)', arraySlice(size_24, h - 1151, 1008), arrayMap(n -> n >= 20, k_24))) as tokens_24h_q95,
  if(arrayCount(n -> n >= 20, k_24) < 72, 0., arrayReduce('quantileExactIf(0.95)', arraySlice(unit_24, h - 1151, 1008), arrayMap(n -> n >= 20, k_24))) as unit_24h_q95,
  arrayMap((v, k, from, least_) -> if(arrayCount(n -> n >= 10, k) < least_, 0., arrayReduce('quantileExactIf(0.02)', arraySlice(v, from, 1008), arrayMap(n -> n >= 10, k))), shares, [k_1, k_6, k_24], starts, [36, 72, 72]) as cached,
  if(arrayCount(n -> n >= 20, k_1) < 36, 0., arrayReduce('quantileExactIf(0.95)', arraySlice(attempts_1, h - 1013, 1008), arrayMap(n -> n >= 20, k_1))) as attempts_q95,
  arrayMax(arraySlice(session_a, h - 1013, 1008)) as session_max, if(arrayCount(n -> n >= 10, m_1) < 36, -1., arrayReduce('quantileExactIf(0.99)', arraySlice(repeats_1, h - 1013, 1008), arrayMap(n -> n >= 10, m_1))) as repeated, arrayMax(arraySlice(largest_a, h - 1013, 1008)) as largest_max,
  if(days_ < 7, 0., arrayMin(arrayFlatten(arrayMap(d -> [calls_6[h - 144 * d], calls_6[h - 144 * d + 6], calls_6[h - 144 * d - 6]], range(1, 8))))) as calls_6h_min,
  arraySum(arraySlice(chars_a, h - 149, 144)) / greatest(arraySum(arraySlice(measured_a, h - 149, 144)), 1) as prompt_chars,
  arrayFilter(f -> f != 0, arrayDistinct(arraySlice(fingerprint_a, h - 1013, 1008))) as fingerprints,
  toFloat64(if(daily and days_ >= 8, arrayMax(arrayMap(t -> if(t.2 >= 0.02 and t.3 < 0.04, t.1, 0.), trend)), 0.)) as creep
from trends
