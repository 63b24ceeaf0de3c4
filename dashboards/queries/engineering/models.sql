-- One row per model of the time range, dearest first.
select
  of_model, of_provider, if(unknown > 0, '≥', '') as bound, toFloat64(usd) as known_usd, unknown as unknown_calls, n as calls,
  if(usd = 0 and unknown > 0, null, toFloat64(usd) / (n - unknown)) as usd_per_call,
  if(known_tokens = 0 or (usd = 0 and unknown > 0), null, toFloat64(usd) / known_tokens * 1000000) as usd_per_mtok,
  if(tokens_in = 0, null, cached / tokens_in) as cached_share, if(n = 0, null, failed / n) as error_share,
  if(n = 0, null, lasted_us / n / 1000) as mean_ms, if(first_n = 0, null, first_us / first_n / 1000) as mean_first_ms
from (
  select
    model as of_model, provider as of_provider, sum(c.known_usd) as usd, sumIf(c.calls, c.unknown) as unknown, sum(c.calls) as n,
    sumIf(c.input_tokens + c.output_tokens, not c.unknown) as known_tokens, sum(c.input_tokens) as tokens_in, sum(c.cache_read_tokens) as cached, sum(c.errors) as failed,
    sum(c.duration_us) as lasted_us, sum(c.first_token_calls) as first_n, sum(c.first_token_us) as first_us
  from costs_between(since = $__fromTime, until = $__toTime) as c
  where {filters}
  group by of_model, of_provider)
order by usd desc, n desc, of_model
limit 50
