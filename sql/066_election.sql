-- The election: of all spans that describe one provider call exactly one bills. Writes only the rows whose verdict, winner or
-- inherited tags changed, through the ordinary table, so that their minutes are marked by themselves.
-- A span bills if it reports usage and nothing below it does. A call without usage is covered by the nearest ancestor with usage if
-- nothing else below that one reports any. The same response seen from two places bills once: the earliest start wins, a gateway last.
create or replace materialized view {db}.election
refresh every {every} depends on {db}.election_spans append to {db}.genai_calls as
with recursive
  (select now64(3, 'UTC')) as started,
  -- every span with every ancestor; by recursion and not by arrays: a trace of 20,000 spans takes 0.4 GB instead of 18.7
  climb as (
    select trace_id, span_id as leaf, parent as at, 1 as steps from {db}.election_spans where parent != 0
    union all
    select c.trace_id as trace_id, c.leaf as leaf, e.parent as at, c.steps + 1 as steps
    from climb as c inner join {db}.election_spans as e on c.trace_id = e.trace_id and c.at = e.span_id
    where e.parent != 0 and c.steps < 900),
  pairs as (
    select
      c.trace_id as trace_id, c.leaf as leaf, c.at as above, c.steps as steps, d.has_usage as leaf_usage, d.role as leaf_role, u.has_usage as above_usage,
      u.tenant as above_tenant, u.team as above_team, u.feature as above_feature, u.user as above_user, u.session as above_session, u.task as above_task, u.task_id as above_task_id, u.agent as above_agent, u.agent_step as above_agent_step
    from climb as c
    inner join {db}.election_spans as d on c.trace_id = d.trace_id and c.leaf = d.span_id
    inner join {db}.election_spans as u on c.trace_id = u.trace_id and c.at = u.span_id
    where c.leaf != c.at),
  below as (
    select trace_id, above as span_id, max(leaf_usage) as usage_below, max(leaf_role = 'call') as call_below
    from pairs group by trace_id, span_id),
  above as (
    select
      trace_id, leaf as span_id, argMinIf(above, steps, above_usage = 1) as usage_above,
      argMinIf(above_tenant, steps, above_tenant != '') as near_tenant, argMinIf(above_team, steps, above_team != '') as near_team, argMinIf(above_feature, steps, above_feature != '') as near_feature, argMinIf(above_user, steps, above_user != '') as near_user, argMinIf(above_session, steps, above_session != '') as near_session, argMinIf(above_task, steps, above_task != '') as near_task, argMinIf(above_task_id, steps, above_task_id != '') as near_task_id, argMinIf(above_agent, steps, above_agent != '') as near_agent, argMinIf(above_agent_step, steps, above_agent_step != '') as near_agent_step
    from pairs group by trace_id, span_id),
  structure as (
    select
      e.trace_id as trace_id, e.span_id as span_id, e.ts as ts, e.end_ts as end_ts, e.role as span_role, e.response_key as response_key, e.id_unique as id_unique,
      e.output_tokens as output_tokens, e.has_usage as usage, e.gateway as gateway, e.parent_lost as parent_lost, a.usage_above as usage_above, b.usage_below as usage_below,
      if(e.tenant = '', a.near_tenant, e.tenant) as own_tenant, if(e.team = '', a.near_team, e.team) as own_team, if(e.feature = '', a.near_feature, e.feature) as own_feature, if(e.user = '', a.near_user, e.user) as own_user, if(e.session = '', a.near_session, e.session) as own_session, if(e.task = '', a.near_task, e.task) as own_task, if(e.task_id = '', a.near_task_id, e.task_id) as own_task_id, if(e.agent = '', a.near_agent, e.agent) as own_agent, if(e.agent_step = '', a.near_agent_step, e.agent_step) as own_agent_step,
      multiIf(
        e.has_usage = 1 and b.usage_below = 1, 'wrapper',
        -- a wrapper whose own usage is all there is bills, but not before late spans below it had their chance
        e.has_usage = 1 and e.role = 'wrapper' and e.known_at > now64(6, 'UTC') - interval {grace}, 'pending',
        e.has_usage = 1, 'bills',
        e.role = 'wrapper' or b.call_below = 1, 'wrapper',
        a.usage_above != 0 and ub.usage_below = 0, 'covered',
        'bills') as structural
    from {db}.election_spans as e
    left join below as b on e.trace_id = b.trace_id and e.span_id = b.span_id
    left join above as a on e.trace_id = a.trace_id and e.span_id = a.span_id
    left join below as ub on a.trace_id = ub.trace_id and a.usage_above = ub.span_id
    where e.role != 'link'),
  -- the same provider response seen from two places has the same id and output. An id that cannot collide is believed for 30 days, another
  -- one only when the spans overlap (2 s of slack). Spans of different tenants are never rivals, except through a gateway's credential.
  -- In small stages: the engine analyses a name at each use, and a column only once.
  rivals as (
    select *, structural = 'bills' and usage = 1 and response_key != 0 as is_rival,
      -- two witnesses of one response may count its output differently; only an id that may collide needs the count to agree
      if(id_unique = 1, 0, output_tokens) as same_output
    from structure),
  tenants as (
    select *, uniqExactIf(own_tenant, own_tenant != '' and gateway = 0) over (partition by is_rival, response_key, same_output) as tenant_count
    from rivals),
  parted as (select *, if(tenant_count <= 1, '', own_tenant) as rival_tenant from tenants),
  earlier_seen as (
    select *, max(end_ts) over earlier as seen_until, count() over earlier as seen_before
    from parted
    window earlier as (partition by is_rival, rival_tenant, response_key, same_output order by ts, span_id rows between unbounded preceding and 1 preceding)),
  clusters as (
    select *, seen_before = 0 or ts > seen_until + if(id_unique, toIntervalSecond(2592000), toIntervalSecond(2)) as starts
    from earlier_seen),
  numbered as (
    select *, sum(starts) over (partition by is_rival, rival_tenant, response_key, same_output order by ts, span_id) as cluster
    from clusters),
  placed as (
    select
      *, row_number() over in_order as place, first_value(span_id) over in_order as first_span, first_value(trace_id) over in_order as first_trace,
      argMinIf(own_tenant, (gateway, ts, span_id), own_tenant != '') over whole as shared_tenant,
      argMinIf(own_team, (gateway, ts, span_id), own_team != '') over whole as shared_team,
      argMinIf(own_feature, (gateway, ts, span_id), own_feature != '') over whole as shared_feature,
      argMinIf(own_user, (gateway, ts, span_id), own_user != '') over whole as shared_user,
      argMinIf(own_session, (gateway, ts, span_id), own_session != '') over whole as shared_session,
      argMinIf(own_task, (gateway, ts, span_id), own_task != '') over whole as shared_task,
      argMinIf(own_task_id, (gateway, ts, span_id), own_task_id != '') over whole as shared_task_id,
      argMinIf(own_agent, (gateway, ts, span_id), own_agent != '') over whole as shared_agent,
      argMinIf(own_agent_step, (gateway, ts, span_id), own_agent_step != '') over whole as shared_agent_step
    from numbered
    window
      in_order as (partition by is_rival, rival_tenant, response_key, same_output, cluster order by gateway, ts, span_id),
      whole as (partition by is_rival, rival_tenant, response_key, same_output, cluster)),
  decided as (select *, if(is_rival and place > 1, 'duplicate', structural) as final_verdict from placed),
  judged as (
    select
      trace_id, span_id, ts, final_verdict,
      if(own_tenant != '' or not is_rival, own_tenant, shared_tenant) as tenant,
      if(own_team != '' or not is_rival, own_team, shared_team) as team,
      if(own_feature != '' or not is_rival, own_feature, shared_feature) as feature,
      if(own_user != '' or not is_rival, own_user, shared_user) as user,
      if(own_session != '' or not is_rival, own_session, shared_session) as session,
      if(own_task != '' or not is_rival, own_task, shared_task) as task,
      if(own_task_id != '' or not is_rival, own_task_id, shared_task_id) as task_id,
      if(own_agent != '' or not is_rival, own_agent, shared_agent) as agent,
      if(own_agent_step != '' or not is_rival, own_agent_step, shared_agent_step) as agent_step,
      multiIf(final_verdict = 'duplicate', first_span, final_verdict = 'covered', usage_above, 0) as winner_span,
      multiIf(final_verdict = 'duplicate', first_trace, final_verdict = 'covered', trace_id, toFixedString('', 16)) as winner_trace,
      concat(
        multiIf(
          final_verdict = 'duplicate', 'the same provider response as the winner''s, seen later',
          final_verdict = 'covered', 'its usage is on the span above it, and nowhere else',
          final_verdict = 'pending', 'waits for the spans below it',
          final_verdict = 'wrapper' and usage = 1, 'a span below it reports the usage',
          final_verdict = 'wrapper' and span_role = 'wrapper', 'wraps calls and reports no usage of its own',
          final_verdict = 'wrapper', 'wraps another call and reports no usage of its own',
          usage = 1 and span_role = 'wrapper', 'reports usage and nothing below it ever did',
          usage = 1, 'reports usage and nothing below it does',
          'a call without usage that no other span covers'),
        if(parent_lost, '; its parent never landed, the innermost wrapper around it in time stands in', '')) as words
    from decided)
select c.* replace (
  j.tenant as tenant, j.team as team, j.feature as feature, j.user as user, j.session as session, j.task as task, j.task_id as task_id, j.agent as agent, j.agent_step as agent_step,
  j.final_verdict as verdict, j.words as reason, j.winner_trace as winner_trace_id, j.winner_span as winner_span_id,
  toUInt64(toUnixTimestamp64Milli(started)) as version, now64(3, 'UTC') as ingested_at)
from (select * from {db}.genai_calls final where ts in (select ts from {db}.election_spans)) as c
inner join judged as j on c.ts = j.ts and c.span_id = j.span_id and c.trace_id = j.trace_id
where c.verdict != j.final_verdict or c.winner_span_id != j.winner_span or c.winner_trace_id != j.winner_trace
  or c.tenant != j.tenant or c.team != j.team or c.feature != j.feature or c.user != j.user or c.session != j.session or c.task != j.task or c.task_id != j.task_id or c.agent != j.agent or c.agent_step != j.agent_step
settings min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 0, max_insert_threads = 1, max_insert_block_size = 100000000;
