-- for each: grain = minute, hour
-- Makes the {grain}s again that changed, as cost_{grain}s_mv does, from single priced calls: with users there is nothing to group first.
create or replace materialized view {db}.actor_{grain}s_mv
refresh every {every}{by_command} append to {db}.actor_{grain}s {as_its_maker}as
with
  now64(3, 'UTC') as started,
  (select groupArray(bucket) from {db}.due_actor_{grain}s) as todo
select
  bucket, tenant, user, session, sum(n) as calls, sum(i) as input_tokens, sum(o) as output_tokens, sumIf(amount, is_known = 1) as known_usd,
  sumIf(n, is_known = 0) as unknown_calls, sumIf(i + o, is_known = 0) as unknown_tokens, started as run_at
from (
  select
    toDateTime({start_of}(ts, {zone}), 'UTC') as bucket, tenant, user, session, toUInt64(1) as n, toUInt64(input_tokens) as i, toUInt64(output_tokens) as o,
    toUInt8(completeness in ('priced', 'failed_not_billed', 'notional')) as is_known, amount_usd * (completeness = 'priced') as amount
  from {db}.priced_calls
  where toDateTime({start_of}(ts, {zone}), 'UTC') in (select arrayJoin(todo))
  union all
  select bucket, tenant, user, session, 0, 0, 0, 1, toDecimal128(0, 24) from {db}.actor_{grain}s where bucket in (select arrayJoin(todo))
  union all
  select arrayJoin(todo), '', '', '', 0, 0, 0, 1, toDecimal128(0, 24))
group by bucket, tenant, user, session
settings min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 0, max_insert_threads = 1, max_insert_block_size = 100000000, do_not_merge_across_partitions_select_final = 1, short_circuit_function_evaluation = 'disable';
