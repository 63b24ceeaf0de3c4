-- The election: of all spans that describe one provider call exactly one bills. Writes only the rows whose verdict, winner, inherited
-- tags or lent facts changed, through the ordinary table, so that their minutes are marked by themselves.
-- A span bills if it reports usage and nothing below it does. A call without usage is covered by the nearest ancestor with usage if
-- nothing else below that one reports any. Of several witnesses of one response the one bills that knows most of its usage; its tags are
-- the caller's.
create or replace materialized view {db}.election
refresh every {every} offset {second_step} depends on {db}.election_spans{and_by_command} append to {db}.genai_calls {as_its_maker}as
with recursive
  (select now64(3, 'UTC')) as started,
  -- every span with every ancestor; by recursion and not by arrays: a trace of 20,000 spans takes 0.4 GB instead of 18.7. Who meets himself
  -- is in a circle of parents, and climbs no further.
  climb as (
    select trace_id, span_id as leaf, ts as leaf_ts, parent as at, 1 as steps, toUInt8(operation in ('execute_tool', 'invoke_agent')) as beyond_tool from {db}.election_spans where parent != 0 and twice = 0
    union all
    select c.trace_id as trace_id, c.leaf as leaf, c.leaf_ts as leaf_ts, e.parent as at, c.steps + 1 as steps, greatest(c.beyond_tool, toUInt8(e.operation in ('execute_tool', 'invoke_agent'))) as beyond_tool
    from climb as c inner join {db}.election_spans as e on c.trace_id = e.trace_id and c.at = e.span_id
    where e.parent != 0 and e.twice = 0 and c.leaf != c.at and c.steps < 900),
  turned as (select *, max(at = leaf) over (partition by trace_id, leaf) as in_circle from climb),
  pairs as (
    select
      c.trace_id as trace_id, c.leaf as leaf, c.at as above, c.steps as steps, d.usage as leaf_usage, d.role as leaf_role, d.usage_rank as leaf_rank,
      u.usage as above_usage, u.role as above_role, u.response_key as above_key, u.id_unique as above_unique, u.tags as above_tags, u.words as above_words, u.figures as above_figures,
      -- Another tenant's: he answers a call of this one's, or only knows its ids, and may neither take its usage over nor learn its tags. Within
      -- one service a wrapper's tenant may be the service's own and that of the calls below it the customer's.
      (u.tags[1] != '') * (d.tags[1] != '') * (u.tags[1] != d.tags[1]) * (u.gateway = 0) * (d.gateway = 0) * greatest(u.tags[11] != d.tags[11], (u.role = 'call') * (d.role = 'call')) as is_foreign,
      -- Two requests, though one span is within the other: a tool or an agent that runs within a call (a generator may yield inside its span)
      -- makes requests of its own; two ids that cannot collide, with two counts; an embedding, which no span with output can be made of.
      greatest(
        is_foreign,
        c.beyond_tool * (u.role = 'call'),
        (d.role = 'call') * (u.role = 'call') * d.id_unique * u.id_unique * (d.response_key != u.response_key) * d.usage * u.usage * (d.output_tokens != u.output_tokens),
        d.usage * (d.output_tokens = 0) * (u.output_tokens > 0) * (d.operation in ('embeddings', 'rerank'))) = 0 as one_request
    from turned as c
    inner join (select * from {db}.election_spans where twice = 0) as d on c.trace_id = d.trace_id and c.leaf = d.span_id
    inner join (select * from {db}.election_spans where twice = 0) as u on c.trace_id = u.trace_id and c.at = u.span_id
    -- in a circle the earlier one is above
    where c.leaf != c.at and (c.in_circle = 0 or (u.ts, u.span_id) < (d.ts, d.span_id))),
  -- each pair is seen from both ends, in one pass, because a recursion is run again at each use
  family as (
    select
      trace_id, if(downward, above, leaf) as span_id,
      max(least(downward, one_request, leaf_usage)) as usage_below, countIf(least(downward, one_request, leaf_usage)) as usages_below, maxIf(leaf_rank, least(downward, one_request)) as rank_below,
      max(least(downward, one_request, leaf_role = 'call')) as call_below,
      argMinIf(above, steps, least(downward = 0, one_request, above_usage)) as usage_above,
      argMinIf((above_key, above_unique), steps, least(downward = 0, one_request, above_role = 'call', above_key != 0)) as key_above,
      argMinForEachIf(above_tags, arrayMap(t -> steps + 100000 * (t = ''), above_tags), least(downward = 0, is_foreign = 0)) as near_tags,
      argMinForEachIf(above_words, arrayMap(w -> steps + 100000 * (w = ''), above_words), least(downward = 0, one_request, notEmpty(above_words))) as near_words,
      argMinForEachIf(above_figures, arrayMap(f -> steps + 100000 * (f = 0), above_figures), least(downward = 0, one_request, notEmpty(above_figures))) as near_figures
    from pairs array join [0, 1] as downward
    group by trace_id, span_id),
  placed as (
    select
      e.* except (tags, words, figures, response_key, id_unique), f.usage_below as usage_below, f.usage_above as usage_above, f.call_below as call_below,
      -- the outer of two witnesses of one call knows its usage better
      e.usage = 1 and e.role = 'call' and f.usages_below = 1 and e.usage_rank > f.rank_below as knows_better,
      if(e.response_key = 0 and e.role = 'call' and e.twice != 2, f.key_above.1, e.response_key) as response_key, if(e.response_key = 0 and e.role = 'call' and e.twice != 2, f.key_above.2, e.id_unique) as id_unique,
      -- what stands above another tenant's copy of an id is not his: it lends nothing
      if(empty(f.near_tags) or e.twice = 2, e.tags, arrayMap((own, near) -> if(near != '' and (own = '' or e.gateway = 1), near, own), e.tags, f.near_tags)) as tags,
      if(empty(e.words) or empty(f.near_words) or e.twice = 2, e.words, arrayMap((own, near) -> if(own = '', near, own), e.words, f.near_words)) as words,
      if(empty(e.figures) or empty(f.near_figures) or e.twice = 2, e.figures, arrayMap((own, near) -> if(own = 0, near, own), e.figures, f.near_figures)) as figures
    from {db}.election_spans as e
    left join family as f on e.trace_id = f.trace_id and e.span_id = f.span_id),
  -- what the nearest reporting span above says of itself, without joining again
  related as (
    select *,
      max(usage = 1 and usage_below = 1) over (partition by trace_id, if(usage = 1, span_id, usage_above)) as is_reported_below,
      max(knows_better) over (partition by trace_id, if(knows_better, span_id, usage_above)) as is_known_better
    from placed),
  structure as (
    select *,
      multiIf(
        twice = 1, 'twice',
        knows_better, 'bills',
        usage = 1 and is_known_better = 1 and usage_above != 0, 'covered',
        usage = 1 and usage_below = 1, 'wrapper',
        -- a wrapper whose own usage is all there is bills, but not before late spans below it had their chance; one of a time that has not come
        -- landed before the clock went back
        usage = 1 and role = 'wrapper' and known_at > now64(6, 'UTC') - interval {grace} and known_at < now64(6, 'UTC') + interval {grace}, 'pending',
        usage = 1, 'bills',
        role = 'wrapper' or call_below = 1, 'wrapper',
        usage_above != 0 and is_reported_below = 0, 'covered',
        'bills') as structural,
      -- who knows most of a response: how well its usage is known, then whether the model has a price, the caller before a gateway
      (-toInt8(usage_rank), -toInt8(model_known), gateway, -toInt64(bitShiftRight(version, 50)), ts, span_id) as merit
    from related
    where role != 'link'),
  -- the same call seen by two instrumentations of one trace that do not know of each other: the same counts and model at the same time. The
  -- first of one is the first of the other, the second the second. Two spans of one instrumentation are two calls, and so are those of two
  -- services; a gateway, or who does not name his service, goes with the first that does.
  ranked as (
    select *, structural = 'bills' and role = 'call' as is_witness,
      row_number() over (partition by structural = 'bills' and role = 'call', trace_id, scope, tags[11], model, usage, is_error, input_tokens, output_tokens order by ts, span_id) as nth
    from structure),
  homed as (
    select *, if(gateway = 1 or tags[11] = '', argMinIf(tags[11], (ts, span_id), gateway = 0 and tags[11] != '') over (partition by is_witness, trace_id, model, usage, is_error, input_tokens, output_tokens, nth), tags[11]) as home
    from ranked),
  twins_seen as (
    select *, max(end_ts) over earlier as twin_until, count() over earlier as twins_before
    from homed
    window earlier as (partition by is_witness, trace_id, home, model, usage, is_error, input_tokens, output_tokens, nth order by ts, span_id rows between unbounded preceding and 1 preceding)),
  twins_cut as (
    select *, sum(twins_before = 0 or ts > twin_until) over (partition by is_witness, trace_id, home, model, usage, is_error, input_tokens, output_tokens, nth order by ts, span_id) as twin_group
    from twins_seen),
  twins as (
    select *,
      is_witness and count() over whole > 1 and uniqExactIf(response_key, response_key != 0) over whole <= 1 and (usage = 1 or is_error = 1 or max(end_ts) over whole <= min(end_ts) over whole + toIntervalSecond(1)) as has_twin,
      row_number() over best as twin_place, first_value(trace_id) over best as twin_trace, first_value(span_id) over best as twin_span,
      max((response_key, id_unique)) over whole as twin_key,
      argMinForEach(tags, arrayMap(t -> (t = '', gateway, ts, span_id), tags)) over whole as twin_tags,
      argMinForEach(words, arrayMap(w -> (w = '', merit), words)) over whole as twin_words,
      argMinForEach(figures, arrayMap(f -> (f = 0, merit), figures)) over whole as twin_figures
    from twins_cut
    window
      whole as (partition by is_witness, trace_id, home, model, usage, is_error, input_tokens, output_tokens, nth, twin_group),
      best as (partition by is_witness, trace_id, home, model, usage, is_error, input_tokens, output_tokens, nth, twin_group order by response_key = 0, merit)),
  seconded as (
    select * replace (
        if(has_twin and twin_place > 1, 'duplicate', structural) as structural, if(has_twin, twin_key.1, response_key) as response_key, if(has_twin, twin_key.2, id_unique) as id_unique,
        if(has_twin, twin_tags, tags) as tags, if(has_twin, twin_words, words) as words, if(has_twin, twin_figures, figures) as figures)
    from twins),
  -- the same provider response seen from two places has the same id and output. An id that cannot collide is believed for 30 days, another
  -- one only when the spans overlap (2 s of slack). Spans of different tenants are never rivals; a span without a tenant, or from a
  -- gateway, is a rival to those of the tenant whose span it overlaps. A response is created in the background without usage, and fetched with it; a
  -- caller that breaks off knows its id, and a gateway its usage.
  -- In small stages: the engine analyses a name at each use, and a column only once.
  rivals as (
    select *, structural = 'bills' and response_key != 0 and (usage = 1 or id_unique * (role = 'call') = 1) as is_rival, tags[1] != '' and gateway = 0 as is_told,
      -- two witnesses of one response may count its output differently; only an id that may collide needs the count to agree
      if(id_unique = 1, 0, output_tokens) as same_output
    from seconded),
  tenants as (
    select *, uniqExactIf(tags[1], is_told) over (partition by is_rival, response_key, same_output) as tenant_count,
      argMaxIf((tags[1], ts, end_ts), (end_ts, tags[1]), is_told) over (partition by is_rival, response_key, same_output order by ts, span_id rows between unbounded preceding and current row) as told_before,
      argMinIf((tags[1], ts, end_ts), (ts, tags[1]), is_told) over (partition by is_rival, response_key, same_output order by ts, span_id rows between current row and unbounded following) as told_after
    from rivals),
  parted as (
    select *, multiIf(tenant_count <= 1, '', is_told, tags[1], told_after.1 = '' or (told_before.1 != '' and (told_before.3 >= ts or told_after.2 > end_ts)), told_before.1, told_after.1) as rival_tenant
    from tenants),
  earlier_seen as (
    select *, max(end_ts) over earlier as seen_until, count() over earlier as seen_before
    from parted
    window earlier as (partition by is_rival, rival_tenant, response_key, same_output order by ts, span_id rows between unbounded preceding and 1 preceding)),
  clusters as (
    select *, sum(seen_before = 0 or ts > seen_until + if(id_unique, toIntervalSecond(2592000), toIntervalSecond(2))) over (partition by is_rival, rival_tenant, response_key, same_output order by ts, span_id) as cluster
    from earlier_seen),
  settled as (
    select *,
      is_rival and count() over whole > 1 and max(usage) over whole = 1 as has_rival,
      row_number() over best as place, first_value(span_id) over best as first_span, first_value(trace_id) over best as first_trace,
      argMinForEach(tags, arrayMap(t -> (t = '', gateway, ts, span_id), tags)) over whole as shared_tags,
      argMinForEach(words, arrayMap(w -> (w = '', merit), words)) over whole as shared_words,
      argMinForEach(figures, arrayMap(f -> (f = 0, merit), figures)) over whole as shared_figures
    from clusters
    window
      whole as (partition by is_rival, rival_tenant, response_key, same_output, cluster),
      best as (partition by is_rival, rival_tenant, response_key, same_output, cluster order by usage = 0, merit)),
  decided as (
    select *, if(has_rival and place > 1, 'duplicate', if(structural = 'twice', 'duplicate', structural)) as final_verdict,
      -- a twin follows where its better half goes
      multiIf(has_rival and place > 1, (first_trace, first_span), structural = 'duplicate', (twin_trace, twin_span), structural = 'covered', (trace_id, usage_above), structural = 'twice', (trace_id, span_id), (toFixedString('', 16), toUInt64(0))) as winner
    from settled),
  followed as (
    select *, max(if(final_verdict = 'duplicate' and has_rival, winner, (toFixedString('', 16), toUInt64(0)))) over (partition by if(structural = 'duplicate', winner, (trace_id, span_id))) as further
    from decided),
  judged as (
    select
      trace_id, span_id, ts, final_verdict, version as facts_version,
      if(has_rival and place = 1, shared_tags, tags) as tags, if(has_rival and place = 1, shared_words, words) as words, if(has_rival and place = 1, shared_figures, figures) as figures,
      if(structural = 'duplicate' and further.2 != 0, further, winner) as winner,
      concat(
        multiIf(
          structural = 'twice', 'the same span came with another start, which knows more',
          structural = 'duplicate', 'the same call, seen at the same time with the same counts by another instrumentation',
          final_verdict = 'duplicate', 'the same provider response as the winner''s, which knows more of it or saw it first',
          final_verdict = 'covered' and usage = 1, 'the span above it knows the usage of this one call better',
          final_verdict = 'covered', 'its usage is on the span above it, and nowhere else',
          final_verdict = 'pending', 'waits for the spans below it',
          final_verdict = 'wrapper' and usage = 1, 'a span below it reports the usage',
          final_verdict = 'wrapper' and role = 'wrapper', 'wraps calls and reports no usage of its own',
          final_verdict = 'wrapper', 'wraps another call and reports no usage of its own',
          knows_better, 'reports the usage of one call better than the span below it',
          usage = 1 and role = 'wrapper', 'reports usage and nothing below it ever did',
          usage = 1, 'reports usage and nothing below it does',
          'a call without usage that no other span covers'),
        if(parent_lost, '; its parent never landed, the innermost wrapper around it in time stands in', '')) as said
    from followed),
  verdicts as (
    select
      c.* replace (
        j.tags[1] as tenant, j.tags[2] as team, j.tags[3] as feature, j.tags[4] as user, j.tags[5] as session, j.tags[6] as task, j.tags[7] as task_id, j.tags[8] as agent, j.tags[9] as agent_step,
        if(j.tags[10] = '', c.environment, j.tags[10]) as environment, if(j.tags[11] = '', c.service, j.tags[11]) as service,
        if(empty(j.words) or c.response_id != '', c.response_id, j.words[1]) as response_id,
        if(empty(j.words) or c.service_tier != '', c.service_tier, j.words[2]) as service_tier,
        if(empty(j.words) or c.price_context != '' or c.service_tier != '', c.price_context, j.words[3]) as price_context,
        if(empty(j.words) or c.account != '', c.account, j.words[4]) as account, if(empty(j.words) or c.region != '', c.region, j.words[5]) as region,
        if(empty(j.words) or c.error_type != '' or c.status = 'ok', c.error_type, j.words[6]) as error_type,
        if(empty(j.figures), c.attempts, greatest(c.attempts, j.figures[1] + 1)) as attempts,
        if(empty(j.figures), c.time_to_first_token_us, toUInt32(j.figures[2])) as time_to_first_token_us,
        if(empty(j.figures), c.cache_write_1h_tokens, toUInt32(least(j.figures[3], c.cache_write_tokens))) as cache_write_1h_tokens,
        -- another witness knows how much was cached for an hour
        if(notEmpty(j.figures) and c.usage_state = 'unsplit' and j.figures[3] != 0, 'reported', c.usage_state) as usage_state,
        if(empty(j.figures), c.system_chars, toUInt32(j.figures[4])) as system_chars, if(empty(j.figures), c.history_chars, toUInt32(j.figures[5])) as history_chars,
        if(empty(j.figures), c.user_chars, toUInt32(j.figures[6])) as user_chars, if(empty(j.figures), c.tool_chars, toUInt32(j.figures[7])) as tool_chars,
        if(empty(j.figures), c.retrieved_chars, toUInt32(j.figures[8])) as retrieved_chars, if(empty(j.figures), c.tool_definition_chars, toUInt32(j.figures[9])) as tool_definition_chars,
        if(empty(j.figures), c.prompt_fingerprint, j.figures[10]) as prompt_fingerprint, if(empty(j.figures), c.prefix_fingerprint, j.figures[11]) as prefix_fingerprint,
        if(empty(j.figures), c.system_fingerprint, j.figures[12]) as system_fingerprint, if(empty(j.figures), c.template_fingerprint, j.figures[13]) as template_fingerprint,
        j.final_verdict as verdict, j.said as reason, j.winner.1 as winner_trace_id, j.winner.2 as winner_span_id,
        -- behind what the facts know; a row that an older release judged counts as knowing little. Above the verdict before it, also where the clock went back
        bitOr(bitShiftLeft(bitShiftRight(c.version, 36), 36), greatest(toUInt64(intDiv(toUnixTimestamp64Milli(started) - 1735689600000, 10)), bitAnd(c.version, 68719476735) + 1)) as version,
        now64(3, 'UTC') as ingested_at),
      (c.verdict, c.winner_span_id, c.winner_trace_id, c.tenant, c.team, c.feature, c.user, c.session, c.task, c.task_id, c.agent, c.agent_step, c.service, c.environment,
        c.response_id, c.service_tier, c.price_context, c.account, c.region, c.error_type, c.attempts, c.time_to_first_token_us, c.cache_write_1h_tokens,
        c.system_chars, c.history_chars, c.user_chars, c.tool_chars, c.retrieved_chars, c.tool_definition_chars, c.prompt_fingerprint, c.prefix_fingerprint, c.system_fingerprint, c.template_fingerprint) as before
    from (select * from {db}.genai_calls final where ts in (select ts from {db}.election_spans)) as c
    inner join judged as j on c.ts = j.ts and c.span_id = j.span_id and c.trace_id = j.trace_id)
select * except (before)
from verdicts
where before != (verdict, winner_span_id, winner_trace_id, tenant, team, feature, user, session, task, task_id, agent, agent_step, service, environment,
  response_id, service_tier, price_context, account, region, error_type, attempts, time_to_first_token_us, cache_write_1h_tokens,
  system_chars, history_chars, user_chars, tool_chars, retrieved_chars, tool_definition_chars, prompt_fingerprint, prefix_fingerprint, system_fingerprint, template_fingerprint)
settings optimize_and_compare_chain = 0, query_plan_merge_expressions = 0, min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 0, max_insert_threads = 1, max_insert_block_size = 100000000;
