-- At most one row: when a series went out of line by the rule that fires for it. Of all ten minutes since a moment it is those from which on the
-- series exceeds what is normal by most in sum, so that stray ones long before do not count; no row: none exceeds it by itself.
with
  compared as (
    select
      b.bucket as bucket,
      multiIf(
        {rule:String} = 'spike', b.usd - 0.25 * greatest(r.hour_usd, r.usd_1h_max),
        {rule:String} = 'sustained', b.usd - 0.25 * greatest(r.hour_usd, r.usd_6h_q99 / 6),
        {rule:String} = 'price', b.usd - 1.3 * arrayMax(r.weighed_prices) * b.weighed,
        {rule:String} = 'tokens_6h', b.tokens - 1.2 * r.tokens_6h_q95 * b.priced_calls,
        {rule:String} = 'tokens_24h', b.tokens - 1.2 * r.tokens_24h_q95 * b.priced_calls,
        {rule:String} = 'unit_cost', b.usd - 1.2 * r.unit_24h_q95 * b.priced_calls,
        {rule:String} = 'cache', (arrayMin(arrayFilter(share -> share > 0, r.cached)) - 0.05) * b.input - b.cached,
        {rule:String} = 'repeats', b.repeats - (greatest(r.repeated, 0) + 0.1) * b.calls,
        {rule:String} = 'session', b.session_max - 5 - greatest(r.session_max, if(r.days >= 3, 5, 25)),
        {rule:String} = 'retries', b.attempts - 1.2 * greatest(r.attempts_q95, 1) * b.calls,
        {rule:String} = 'huge_call', b.largest - if(r.days >= 3, 2 * r.largest_max, 1),
        {rule:String} = 'prompt', if(b.fingerprint != 0 and not has(r.fingerprints, b.fingerprint), b.fingerprint_calls, 0) - 0.5 * b.measured,
        0) as excess
    from (select * from series_buckets where bucket >= toDateTime({started:UInt32}, 'UTC') and bucket < toDateTime({until:UInt32}, 'UTC') and series = {series:UInt64}) as b
    left join (select * from series_references where at = toDateTime(intDiv({until:UInt32} - 1, 3600) * 3600, 'UTC') and series = {series:UInt64} limit 1) as r on r.series = b.series)
select bucket as began
from (select bucket, sum(excess) over (order by bucket desc) as exceeds from compared)
where exceeds > 0
order by exceeds desc, bucket
limit 1
