-- How far each series is beyond what is normal for it, at each of the points: one row per point, series and rule. A point is the end of ten
-- minutes; the rules look at the hour, the six hours, the day that end there. `value` is what a preset's threshold is compared with.
with
  {points:Array(UInt32)} as points, toUInt32(arrayMin(points) - 86400) as first,
  raw as (
    select
      series, any(dimension) as dimension_, any(names) as names_,
      groupArrayInsertAt(0., {buckets:UInt32})(usd, i) as usd_a, groupArrayInsertAt(0., {buckets:UInt32})(calls, i) as calls_a, groupArrayInsertAt(0., {buckets:UInt32})(priced_calls, i) as priced_a,
      groupArrayInsertAt(0., {buckets:UInt32})(tokens, i) as tokens_a, groupArrayInsertAt(0., {buckets:UInt32})(weighed, i) as weighed_a, groupArrayInsertAt(0., {buckets:UInt32})(input, i) as input_a, groupArrayInsertAt(0., {buckets:UInt32})(cached, i) as cached_a,
      groupArrayInsertAt(0., {buckets:UInt32})(attempts, i) as attempts_a, groupArrayInsertAt(0., {buckets:UInt32})(measured, i) as measured_a, groupArrayInsertAt(0., {buckets:UInt32})(chars, i) as chars_a,
      groupArrayInsertAt(0., {buckets:UInt32})(session_max, i) as session_a, groupArrayInsertAt(0., {buckets:UInt32})(repeats, i) as repeats_a, groupArrayInsertAt(0., {buckets:UInt32})(largest, i) as largest_a,
      groupArrayInsertAt(toUInt64(0), {buckets:UInt32})(fingerprint, i) as fingerprint_a, groupArrayInsertAt(0., {buckets:UInt32})(fingerprint_calls, i) as fingerprint_calls_a
    from (
      select *, toUInt32(intDiv(toUnixTimestamp(bucket) - first, 600)) as i
      from series_buckets
      where bucket >= toDateTime(first, 'UTC') and bucket < toDateTime(arrayMax(points), 'UTC') and has({dimensions:Array(String)}, dimension) and series % {shards:UInt32} = {shard:UInt32})
    group by series),
  windows as (
    select *,
      toInt32(intDiv(point - first, 600)) as e,
      arraySlice(usd_a, e - 5, 6) as usd_l, arraySlice(priced_a, e - 5, 6) as priced_l, arraySlice(calls_a, e - 5, 6) as calls_l,
      arraySum(usd_l) as c1, arraySum(priced_l) as n1, arraySum(calls_l) as all1, arraySum(arraySlice(tokens_a, e - 5, 6)) as t1,
      arraySum(arraySlice(usd_a, e - 35, 36)) as c6, arraySum(arraySlice(priced_a, e - 35, 36)) as n6, arraySum(arraySlice(tokens_a, e - 35, 36)) as t6, arraySum(arraySlice(calls_a, e - 35, 36)) as all6,
      arraySum(arraySlice(usd_a, e - 143, 144)) as c24, arraySum(arraySlice(priced_a, e - 143, 144)) as n24, arraySum(arraySlice(tokens_a, e - 143, 144)) as t24,
      arraySum(arraySlice(attempts_a, e - 5, 6)) / greatest(all1, 1) as tries,
      arrayMax(arraySlice(session_a, e - 5, 6)) as session_1, arraySum(arraySlice(repeats_a, e - 5, 6)) as repeats_1, repeats_1 / greatest(all1, 1) as repeated_1, arrayMax(arraySlice(largest_a, e - 5, 6)) as largest_1,
      if(arraySum(arraySlice(measured_a, e - 5, 6)) >= 10, 6, 36) as p_n,
      arraySum(arraySlice(measured_a, e - p_n + 1, p_n)) as measured_1, arraySum(arraySlice(chars_a, e - p_n + 1, p_n)) / greatest(measured_1, 1) as chars_1,
      arraySlice(fingerprint_a, e - p_n + 1, p_n) as prompts_1, arraySlice(fingerprint_calls_a, e - p_n + 1, p_n) as prompts_n
    from (select *, arrayJoin(points) as point from raw)),
  compared as (
    select w.*, r.*,
      -- price and cached share of the shortest window that has ten calls and a reference: an hour, 6 hours, 24 hours. After a change there may be
      -- little traffic, and old calls hide it in a longer window; fewer calls than 30 have room for chance
      multiIf(n1 >= 10 and r.weighed_prices[1] > 0, 1, n6 >= 10 and r.weighed_prices[2] > 0, 2, n24 >= 10 and r.weighed_prices[3] > 0, 3, 0) as k, [6, 36, 144][k] as k_n, r.weighed_prices[k] as price_q90,
      arraySum(arraySlice(usd_a, e - k_n + 1, k_n)) as c_k, arraySum(arraySlice(weighed_a, e - k_n + 1, k_n)) as t_k, arraySum(arraySlice(priced_a, e - k_n + 1, k_n)) as n_k,
      multiIf(n1 >= 10 and r.cached[1] > 0, 1, n6 >= 10 and r.cached[2] > 0, 2, n24 >= 10 and r.cached[3] > 0, 3, 0) as s, [6, 36, 144][s] as s_n, r.cached[s] as cache_q02,
      arraySum(arraySlice(usd_a, e - s_n + 1, s_n)) as c_s, arraySum(arraySlice(input_a, e - s_n + 1, s_n)) as i_s, arraySum(arraySlice(priced_a, e - s_n + 1, s_n)) as n_s,
      arraySum(arraySlice(cached_a, e - s_n + 1, s_n)) / greatest(i_s, 1) as share,
      toDateTime(w.point, 'UTC') as at_point, r.days >= 3 as warm, r.hour_usd / greatest(r.hour_calls, 1e-9) as mean_usd,
      w.t6 / greatest(w.n6, 1) as size6, w.t24 / greatest(w.n24, 1) as size24, w.c24 / greatest(w.n24, 1) as unit24,
      c_k >= 0.02 * k_n / 6 * r.hour_usd as priced_enough, c_s >= 0.02 * s_n / 6 * r.hour_usd as shared_enough,
      1 + sqrt(greatest(0, 1 / greatest(n_k, 1) - 1 / 30)) as price_chance, 2 * sqrt(cache_q02 * (1 - cache_q02) * greatest(0, 1 / greatest(n_s, 1) - 1 / 30)) as share_chance,
      arraySum(arrayMap((f, n) -> if(f != 0 and not has(r.fingerprints, f), n, 0.), w.prompts_1, w.prompts_n)) as new_prompt_calls
    from windows as w
    left join {references} as r on r.series = w.series and r.at = toDateTime(intDiv(w.point - 1, 3600) * 3600, 'UTC')),
  ruled as (
    select at_point, series, dimension_, names_, point, days, usd_a, tokens_a, weighed_a, priced_a, input_a, cached_a, e, usd_1h_max, usd_6h_q99, price_q90, tokens_6h_q95, tokens_24h_q95, unit_24h_q95, cache_q02, hour_usd, c1,
      arrayJoin([
        ('spike', if(warm, c1 / (usd_1h_max + greatest(3 * mean_usd, 0.1 * hour_usd)), 0.), c1 - hour_usd, 6),
        ('sustained', if(warm, c6 / (usd_6h_q99 + greatest(3 * mean_usd, 0.6 * hour_usd)), 0.), c6 - 6 * hour_usd, 36),
        ('price', if(warm and priced_enough and price_q90 > 0, c_k / greatest(t_k, 1) / price_q90 / price_chance, 0.), c_k - t_k * price_q90, k_n),
        ('tokens_6h', if(warm and n6 >= 30 and tokens_6h_q95 > 0, size6 / tokens_6h_q95, 0.), c6 * (1 - tokens_6h_q95 / greatest(size6, 1)), 36),
        ('tokens_24h', if(warm and n24 >= 30 and tokens_24h_q95 > 0, size24 / tokens_24h_q95, 0.), c24 * (1 - tokens_24h_q95 / greatest(size24, 1)), 144),
        ('cache', if(warm and shared_enough, cache_q02 - share_chance - share, 0.), greatest(cache_q02 - share, 0.) * i_s * 0.9 * weighed_prices[s], s_n),
        ('creep', if(warm and n24 >= 20, creep, 0.), 0.14 * c24, 144),
        ('unit_cost', if(warm and n24 >= 30 and unit_24h_q95 > 0, unit24 / unit_24h_q95, 0.), c24 - n24 * unit_24h_q95, 144),
        ('repeats', multiIf(repeats_1 < 20, 0., warm and repeated >= 0, repeated_1 - repeated, repeats_1 >= 50, repeated_1 - 0.4, 0.), c1 * repeated_1, 6),
        ('session', if(session_1 >= 30, session_1 / (5 + greatest(session_max, if(warm, 5., 25.))), 0.), c1 * least(1., session_1 / greatest(all1, 1)), 6),
        ('retries', if(all1 >= 20 and warm, tries / greatest(attempts_q95, 1), 0.), c1 - hour_usd, 6),
        ('huge_call', if(n1 >= 30 and largest_1 < 3 * c1 / n1, 0., largest_1 / if(warm, greatest(largest_max, 1e-9), 1.)), largest_1, 6),
        ('prompt', if(days >= 1 and measured_1 >= 10 and prompt_chars > 0 and new_prompt_calls >= 0.5 * measured_1, 1 + (chars_1 - prompt_chars) / 4 / greatest(size24, 1), 0.), c1 * (1 - 1 / greatest(1 + (chars_1 - prompt_chars) / 4 / greatest(size24, 1), 1)), p_n),
        ('lost_traffic', if(warm and calls_6h_min >= 12, calls_6h_min / (all6 + 1), 0.), greatest(6 * hour_usd - c6, 0.), 36)]) as rule_
    from compared)
select at, series, dimension, names, rule, value, excess_usd, days, started_at
from (select
  at_point as at, series, dimension_ as dimension, names_ as names, rule_.1 as rule, rule_.2 as value, rule_.3 as excess_usd, days,
  arraySlice(usd_a, e - rule_.4 + 1, rule_.4) as usd_w, arraySlice(tokens_a, e - rule_.4 + 1, rule_.4) as tokens_w, arraySlice(weighed_a, e - rule_.4 + 1, rule_.4) as weighed_w, arraySlice(priced_a, e - rule_.4 + 1, rule_.4) as priced_w,
  -- the first of the ten minutes in the rule's window that are out of line by themselves
  greatest(1, multiIf(
    rule_.1 in ('spike', 'repeats', 'session', 'retries', 'sustained'), arrayFirstIndex(x -> x > 1.5 * greatest(hour_usd / 6, if(rule_.1 = 'sustained', usd_6h_q99 / 36, usd_1h_max / 6)), usd_w),
    rule_.1 = 'price', arrayFirstIndex((c, t) -> c > 1.3 * price_q90 * t and c > 0, usd_w, weighed_w),
    rule_.1 like 'tokens%', arrayFirstIndex((t, n) -> t > 1.2 * if(rule_.1 = 'tokens_6h', tokens_6h_q95, tokens_24h_q95) * n and n > 0, tokens_w, priced_w),
    rule_.1 = 'unit_cost', arrayFirstIndex((c, n) -> c > 1.2 * unit_24h_q95 * n and n > 0, usd_w, priced_w),
    rule_.1 = 'cache', arrayFirstIndex((k, i) -> i > 0 and k < (cache_q02 - 0.05) * i, arraySlice(cached_a, e - rule_.4 + 1, rule_.4), arraySlice(input_a, e - rule_.4 + 1, rule_.4)),
    1)) as began,
  toDateTime(point - 600 * (rule_.4 - began + 1), 'UTC') as started_at
from ruled
where value > transform(rule_.1, {rules:Array(String)}, {thresholds:Array(Float64)}, 1e300))
