-- One incident of the feature chat that began some hours ago, with the traces of three calls that are there.
insert into incidents (
  incident_id, status, started_at, detected_at, updated_at, resolved_at, rule, driver, class, severity, cause, team, feature,
  explained_by, explained_by_two, explained_share, expected_usd, actual_usd, impact_usd, impact_usd_per_hour, effects, calls, trace_ids, deploy)
with now() - interval {hours:UInt32} hour as began, toDecimal128({usd:String}, 24) as impact, toDecimal128('0.5', 24) as by_volume
select
  {id:String}, {status:String}, began, began + interval 12 minute, now(), if({status:String} = 'open', null, began + interval 2 hour),
  'cost_of_feature', 'tokens_per_call', {class:String}, {severity:String}, {cause:String}, 'support', 'chat',
  'feature=chat', 'feature=chat, model=gpt-5', 0.93, 4, 4 + impact, impact, impact / 2, map('volume', by_volume, 'tokens_per_call', impact - by_volume), 812,
  (select groupArray(3)(trace_id) from calls where ts > now() - interval 10 hour and feature = 'chat'), 'app 2.4.1'
