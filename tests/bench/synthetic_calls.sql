-- Billed calls spread over 30 days, written as the election leaves them: 40 teams, 20 features, 6 models, 5,000 users.
insert into genai_calls (
  ts, end_ts, trace_id, span_id, role, emitter, usage_rule, service, environment, tenant, team, feature, user, session, provider_raw, model_raw,
  operation, usage_state, input_tokens, cache_read_tokens, output_tokens, has_usage, status, attempts, verdict, reason)
select
  toDateTime64(now() - 2592000, 6, 'UTC') + toIntervalMicrosecond(toUInt64(number * 2592000e6 / {calls:UInt64})) as ts, ts + toIntervalMillisecond(500 + rand(1) % 4000) as end_ts,
  toFixedString(reinterpretAsFixedString(sipHash128(number)), 16) as trace_id, sipHash64(number) as span_id, 'call', 'otel', 'otel-genai', 'app', 'prod',
  concat('tenant', toString(rand(2) % 25)), concat('team', toString(rand(3) % 40)), concat('feature', toString(rand(4) % 20)),
  concat('user', toString(rand(5) % 5000)), concat('session', toString(intDiv(number, 5))), 'openai',
  ['gpt-5', 'gpt-5-mini', 'gpt-4.1-mini', 'gpt-4o', 'gpt-4o-mini', 'o3'][1 + rand(6) % 6], 'chat', 'reported',
  200 + rand(7) % 8000, rand(8) % 200, rand(9) % 900, 1, 'ok', 1, 'bills', 'reports usage and nothing below it does'
from numbers({calls:UInt64})
settings max_insert_block_size = 1000000, max_partitions_per_insert_block = 0
