-- One row: what single calls of a scope tell about why, from the last day of an incident: who, which traces, repetition, errors, shape.
-- Calls that wait for their first verdict are left out, as in spend_buckets.
with
  toDateTime({started:UInt32}, 'UTC') as started, greatest(toDateTime({started:UInt32}, 'UTC'), toDateTime({until:UInt32}, 'UTC') - interval 1 day) as since, toDateTime({until:UInt32}, 'UTC') as until,
  scoped as (
    select *, count() over (partition by tenant, team, feature, user, session, prompt_fingerprint, toStartOfTenMinutes(ts)) * (prompt_fingerprint != 0) as repeats, amount_usd * (completeness = 'priced') as usd,
      toFloat64(input_tokens + output_tokens) as tokens
    from priced_calls
    where ts >= since and ts < until and not (bitAnd(version, 68719476735) = 0 and trace_id in (select trace_id from waiting_traces) and ingested_at >= (select min(w.since) - interval 1 second from waiting_traces as w))
      and ({tenant:String} = '' or tenant = {tenant:String}) and ({team:String} = '' or team = {team:String}) and ({feature:String} = '' or feature = {feature:String})
      and ({provider:String} = '' or provider = {provider:String}) and ({model:String} = '' or model = {model:String}) and ({user:String} = '' or user = {user:String})),
  actors as (select user, session, sum(usd) as usd_, count() as n from scoped group by user, session),
  (select (argMax(user, usd_), max(usd_)) from (select user, sum(usd_) as usd_ from actors group by user)) as top_user,
  (select (argMax(path, usd_), max(usd_)) from (select (toString(team), toString(feature), toString(tenant)) as path, sum(usd) as usd_ from scoped group by path)) as top_feature,
  (select (argMax(session, usd_), max(usd_)) from (select session, sum(usd_) as usd_ from actors group by session)) as top_session
select
  count() as calls, toFloat64(sum(usd)) as total,
  assumeNotNull(top_user.1) as user, if(total = 0, 0, toFloat64(assumeNotNull(top_user.2)) / total) as user_share,
  assumeNotNull(top_session.1) as session, if(total = 0, 0, toFloat64(assumeNotNull(top_session.2)) / total) as session_share,
  assumeNotNull(top_feature.1).1 as team, assumeNotNull(top_feature.1).2 as feature, assumeNotNull(top_feature.1).3 as tenant, if(total = 0, 0, toFloat64(assumeNotNull(top_feature.2)) / total) as feature_share,
  countIf(repeats >= 10) / greatest(count(), 1) as repeated_share, max(repeats) as repeats_max,
  countIf(status = 'error') / greatest(count(), 1) as error_share, sum(attempts) / greatest(count(), 1) as attempts_mean,
  countIf(price_context like '%batch%' or operation = 'embeddings') / greatest(count(), 1) as batch_share, uniqExact(user) as users,
  toFloat64(max(usd)) as largest_usd,
  -- does the size of calls grow within the incident?
  avgIf(tokens, ts < since + interval intDiv(dateDiff('second', since, until), 4) second) as tokens_first, avgIf(tokens, ts >= until - interval intDiv(dateDiff('second', since, until), 4) second) as tokens_last,
  arrayMap(t -> lower(hex(t)), arraySlice(arrayDistinct(arrayMap(x -> x.2, arrayReverseSort(groupArraySorted(20)((-usd, trace_id))))), 1, 5)) as traces
from scoped
