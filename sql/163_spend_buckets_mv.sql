-- Makes the due ten minutes again, whole and in one part each, from single priced calls: repeats and sessions need single calls. A call that
-- waits for its first verdict may be one that counts already, seen by somebody else: it is left out, and its ten minutes stay due.
create or replace materialized view {db}.spend_buckets_mv
refresh every 1 minute{by_command} append to {db}.spend_buckets {as_its_maker}as
with
  now64(3, 'UTC') as started,
  -- an array is evaluated once, so that all parts of the query see one set; `in (select arrayJoin(...))` prunes, `has` would not
  (select groupArray(bucket) from {db}.due_spend_buckets) as todo,
  -- and all parts see the same traces wait; a trace that waits again, for a late span, has calls that were judged before
  (select (groupArray(trace_id), min(since) - interval 1 second) from {db}.waiting_traces) as waiting,
  groups as (
    select
      toStartOfTenMinutes(ts) as slot, tenant, team, feature, service, provider, model, user, session, prompt_fingerprint, system_fingerprint, rate_id, completeness,
      count() as n, countIf(status = 'error') as n_errors, sum(attempts) as n_attempts, sumForEach(quantities) as q, max(amount_usd) as dearest,
      countIf(system_chars + tool_definition_chars + user_chars + history_chars > 0) as n_measured, sum(toUInt64(system_chars) + tool_definition_chars) as chars
    from {db}.priced_calls
    where toStartOfTenMinutes(ts) in (select arrayJoin(todo))
      and (bitAnd(version, 68719476735) != 0 or ingested_at < started and (ingested_at < waiting.2 or trace_id not in (select arrayJoin(waiting.1))))
    group by slot, tenant, team, feature, service, provider, model, user, session, prompt_fingerprint, system_fingerprint, rate_id, completeness),
  costed as (
    select
      slot, tenant, team, feature, service, provider, model, user, session, prompt_fingerprint, system_fingerprint, n, n_errors, n_attempts, n_measured, chars,
      completeness = 'priced' as is_priced, completeness not in ('priced', 'failed_not_billed', 'notional') as is_unknown, is_priced * rate_id as rate, dearest * is_priced as dearest_usd,
      arrayMap(x -> x * is_priced, [q[1] + q[7] + q[9], q[2] + q[8], q[3] + q[4], q[5] + q[10] + q[11] + q[12]]) as kinds,
      {db}_cost_of(rate, [q[1], 0, 0, 0, 0, 0, q[7], 0, q[9], 0, 0, 0, 0]) as in_usd,
      {db}_cost_of(rate, [0, q[2], 0, 0, 0, 0, 0, q[8], 0, 0, 0, 0, 0]) as read_usd,
      {db}_cost_of(rate, [0, 0, q[3], q[4], 0, 0, 0, 0, 0, 0, 0, 0, 0]) as write_usd,
      {db}_cost_of(rate, [0, 0, 0, 0, q[5], 0, 0, 0, 0, q[10], q[11], q[12], 0]) as out_usd,
      {db}_cost_of(rate, [0, 0, 0, 0, 0, q[6], 0, 0, 0, 0, 0, 0, q[13]]) as else_usd
    from groups),
  -- how many calls a session made, and how many of an actor's calls repeat a prompt: all but the first
  repeated as (
    select *,
      sum(n) over (partition by slot, tenant, team, feature, service, user, session) * (session != '') as in_session,
      (n - (row_number() over (partition by slot, tenant, team, feature, service, user, session, prompt_fingerprint) = 1)) * (prompt_fingerprint != 0) as repeats
    from costed),
  sided as (select *, arrayJoin([('cell', tenant, team, feature, service, ''), ('actor', tenant, '', '', '', user)]) as side from repeated),
  summed as (
    select
      slot, side.1 as k_part, side.2 as k_tenant, side.3 as k_team, side.4 as k_feature, side.5 as k_service, side.6 as k_user, provider, model,
      sum(n) as s_calls, sumIf(n, is_unknown) as s_unknown, sumIf(n, is_priced) as s_priced, sum(n_errors) as s_errors, sum(n_attempts) as s_attempts, sumForEach(kinds) as s_kinds,
      sum(in_usd) as s_in, sum(read_usd) as s_read, sum(write_usd) as s_write, sum(out_usd) as s_out, sum(else_usd) as s_else, max(dearest_usd) as s_largest,
      sum(n_measured) as s_measured, sum(chars) as s_chars, sumMapIf([system_fingerprint], [n], system_fingerprint != 0) as prompts, max(in_session) as s_session, sum(repeats) as s_repeats
    from sided
    where side.1 = 'cell' or side.6 != ''
    group by slot, side, provider, model)
select
  slot as bucket, k_part as part, k_tenant as tenant, k_team as team, k_feature as feature, k_service as service, provider, model, k_user as user,
  s_calls as calls, s_unknown as unknown_calls, s_priced as priced_calls, s_errors as errors, s_attempts as attempts,
  s_kinds[1] as uncached_tokens, s_kinds[2] as cache_read_tokens, s_kinds[3] as cache_write_tokens, s_kinds[4] as output_tokens,
  s_in as uncached_usd, s_read as cache_read_usd, s_write as cache_write_usd, s_out as output_usd, s_else as other_usd, s_in + s_read + s_write + s_out + s_else as known_usd, s_largest as largest_usd,
  s_measured as measured_calls, s_chars as system_chars, prompts.1[indexOf(prompts.2, arrayMax(prompts.2))] as system_fingerprint, toUInt64(arrayMax(prompts.2)) as system_fingerprint_calls,
  s_session as session_calls_max, toUInt64(s_repeats) as repeated_calls, started as run_at
from summed
union all
-- groups that vanished become zeros: a little older, so that those which are still there win
select
  bucket, part, tenant, team, feature, service, provider, model, user, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  toDecimal128(0, 24), toDecimal128(0, 24), toDecimal128(0, 24), toDecimal128(0, 24), toDecimal128(0, 24), toDecimal128(0, 24), toDecimal128(0, 24), 0, 0, 0, 0, 0, 0, started - toIntervalMillisecond(1)
from {db}.spend_buckets
where bucket in (select arrayJoin(todo))
union all
-- a row without a part says that the bucket was made, even when nothing in it bills, and how many calls it leaves out
select
  made.slot, '', '', '', '', '', '', '', '', left_out, 0, 0, 0, 0, 0, 0, 0, 0,
  toDecimal128(0, 24), toDecimal128(0, 24), toDecimal128(0, 24), toDecimal128(0, 24), toDecimal128(0, 24), toDecimal128(0, 24), toDecimal128(0, 24), 0, 0, 0, 0, 0, 0, started
from (select arrayJoin(todo) as slot) as made
left join (
  select toStartOfTenMinutes(ts) as slot, toUInt64(count()) as left_out
  from {db}.genai_calls final
  where toStartOfTenMinutes(ts) in (select arrayJoin(todo)) and verdict = 'bills'
    and not (bitAnd(version, 68719476735) != 0 or ingested_at < started and (ingested_at < waiting.2 or trace_id not in (select arrayJoin(waiting.1))))
  group by slot) as waits on made.slot = waits.slot
settings optimize_and_compare_chain = 0, query_plan_merge_expressions = 0, min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 0, max_insert_threads = 1, max_insert_block_size = 100000000, do_not_merge_across_partitions_select_final = 1, short_circuit_function_evaluation = 'disable';
