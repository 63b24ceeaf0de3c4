-- One row per ten minutes, dimension and series that made calls, with the figures that the anomaly rules use, as floats: they judge, and add no
-- money.
create or replace view {db}.series_buckets (
  bucket DateTime('UTC') comment 'Start of the ten minutes',
  series UInt64 comment 'Hash of dimension and names',
  dimension LowCardinality(String) comment 'all, tenant, feature, model or user',
  names Array(String) comment 'Values of the dimension: tenant; team and feature; provider and model; tenant and user',
  calls Float64 comment 'Billed calls',
  priced_calls Float64 comment 'Those with an exact price',
  attempts Float64 comment 'HTTP attempts',
  usd Float64 comment 'Known cost',
  tokens Float64 comment 'Tokens of priced calls',
  weighed Float64 comment 'The same, each for as many plain input tokens as its kind usually costs: cache reads 0.1, output 5',
  input Float64 comment 'Input tokens of priced calls',
  cached Float64 comment 'Part of them read from the cache',
  largest Float64 comment 'Dearest call, USD',
  measured Float64 comment 'Calls whose prompt the SDK measured',
  chars Float64 comment 'Characters of their system prompts and tool definitions',
  fingerprint UInt64 comment 'System prompt of most calls; 0: none known',
  fingerprint_calls Float64 comment 'How many calls had it',
  session_max Float64 comment 'Most calls of one session',
  repeats Float64 comment 'Calls with a prompt that the same session or user had sent in the same ten minutes'
) as
select
  bucket, cityHash64(dimension, names) as series, axis.1 as dimension, axis.2 as names,
  toFloat64(sum(b.calls)) as calls, toFloat64(sum(b.priced_calls)) as priced_calls, toFloat64(sum(b.attempts)) as attempts, toFloat64(sum(b.known_usd)) as usd,
  toFloat64(sum(b.uncached_tokens) + sum(b.cache_read_tokens) + sum(b.cache_write_tokens) + sum(b.output_tokens)) as tokens,
  toFloat64(sum(b.uncached_tokens) + sum(b.cache_write_tokens)) + 0.1 * sum(b.cache_read_tokens) + 5. * sum(b.output_tokens) as weighed,
  toFloat64(sum(b.uncached_tokens) + sum(b.cache_read_tokens) + sum(b.cache_write_tokens)) as input,
  toFloat64(sum(b.cache_read_tokens)) as cached, toFloat64(max(b.largest_usd)) as largest, toFloat64(sum(b.measured_calls)) as measured, toFloat64(sum(b.system_chars)) as chars,
  argMax(b.system_fingerprint, b.system_fingerprint_calls) as fingerprint, toFloat64(max(b.system_fingerprint_calls)) as fingerprint_calls,
  toFloat64(max(b.session_calls_max)) as session_max, toFloat64(sum(b.repeated_calls)) as repeats
from (
  select *, arrayJoin(if(part = 'actor', [('user', [toString(tenant), user])], arrayFilter(a -> a.2 != ['', ''] and a.2 != [''] or a.1 = 'all', [
    ('all', ['']), ('tenant', [toString(tenant)]), ('feature', [toString(team), toString(feature)]), ('model', [toString(provider), toString(model)])]))) as axis
  from {db}.spend_buckets final
  where part != '' and calls != 0) as b
group by bucket, axis
comment 'Figures of each series per ten minutes';
