-- Billed calls spread over 30 days, written as the election leaves them. A session is five calls of one of 20,000 users, in one of 40 teams and
-- one of its 3 features (20 in all), with one of 2 models of the feature (6 in all); a user belongs to one of 100 tenants. Few tenants,
-- teams and users have most of the calls, so that the rollups are as large as they would be.
insert into genai_calls (
  ts, end_ts, trace_id, span_id, role, emitter, usage_rule, service, environment, tenant, team, feature, user, session, provider_raw, model_raw,
  operation, usage_state, input_tokens, cache_read_tokens, output_tokens, has_usage, status, attempts, verdict, reason)
with
  (number, nth) -> sipHash64(number, nth) / 18446744073709551616 as share,
  intDiv(number, 5) as of_session,
  toUInt32(pow(share(of_session, 1), 3) * 20000) as of_user,
  toUInt32(pow(share(of_session, 2), 2) * 40) as of_team,
  (of_team * 3 + sipHash64(of_session, 3) % 3) % 20 as of_feature
select
  toDateTime64(now() - 2592000, 6, 'UTC') + toIntervalMicrosecond(toUInt64(number * 2592000e6 / {calls:UInt64})) as ts, ts + toIntervalMillisecond(500 + rand(1) % 4000) as end_ts,
  toFixedString(reinterpretAsFixedString(sipHash128(number)), 16) as trace_id, sipHash64(number) as span_id, 'call', 'otel', 'otel-genai', 'app', 'prod',
  concat('tenant', toString(toUInt32(pow(share(of_user, 4), 2) * 100))), concat('team', toString(of_team)), concat('feature', toString(of_feature)),
  concat('user', toString(of_user)), concat('session', toString(of_session)), 'openai',
  ['gpt-5', 'gpt-5-mini', 'gpt-4.1-mini', 'gpt-4o', 'gpt-4o-mini', 'o3'][1 + (of_feature + rand(6) % 2) % 6], 'chat', 'reported',
  200 + rand(7) % 8000, rand(8) % 200, rand(9) % 900, 1, 'ok', 1, 'bills', 'reports usage and nothing below it does'
from numbers({calls:UInt64})
settings max_insert_block_size = 200000, max_partitions_per_insert_block = 0
