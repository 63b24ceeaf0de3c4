-- One row: how the prompts of a scope changed with an incident: characters of system prompt and tools a call, before and now, and the system
-- prompt that is new. Below, the deployment that came last before it, of a service of the scope.
with
  toDateTime({started:UInt32}, 'UTC') as started, toDateTime({until:UInt32}, 'UTC') as until,
  scoped as (
    select *
    from spend_buckets final
    where bucket >= started - interval 7 day and bucket < until and part = 'cell'
      and ({tenant:String} = '' or tenant = {tenant:String}) and ({team:String} = '' or team = {team:String}) and ({feature:String} = '' or feature = {feature:String})
      and ({provider:String} = '' or provider = {provider:String}) and ({model:String} = '' or model = {model:String})),
  assumeNotNull((select groupUniqArray(system_fingerprint) from scoped where bucket < started)) as known,
  assumeNotNull((select groupUniqArray(toString(service)) from scoped where bucket >= started)) as services,
  assumeNotNull((
    select argMax((what, version, service, seen), seen)
    from (select service, what, version, min(first_seen) as seen from deployments group by service, what, version)
    where has(services, service) and seen >= started - interval 6 hour and seen < started + interval 20 minute
      -- the first version of all is no change
      and (service, what) in (select service, what from deployments where first_seen < started - interval 6 hour))) as deployed
select
  sumIf(system_chars, bucket < started) / greatest(sumIf(measured_calls, bucket < started), 1) as chars_before, sumIf(system_chars, bucket >= started) / greatest(sumIf(measured_calls, bucket >= started), 1) as chars_now,
  sumIf(uncached_tokens + cache_read_tokens + cache_write_tokens, bucket < started) / greatest(sumIf(priced_calls, bucket < started), 1) as input_before,
  sumIf(uncached_tokens + cache_read_tokens + cache_write_tokens, bucket >= started) / greatest(sumIf(priced_calls, bucket >= started), 1) as input_now,
  lower(hex(argMaxIf(system_fingerprint, system_fingerprint_calls, bucket >= started and system_fingerprint != 0 and not has(known, system_fingerprint)))) as new_prompt,
  sumIf(measured_calls, bucket >= started) > 0 and sumIf(measured_calls, bucket < started) > 0
    and sumIf(system_fingerprint_calls, bucket >= started and system_fingerprint != 0 and not has(known, system_fingerprint)) >= 0.5 * sumIf(measured_calls, bucket >= started) as prompt_changed,
  multiIf(deployed.3 != '', concat(deployed.3, ' ', if(deployed.1 = 'prompt', 'prompt ', ''), deployed.2, ' at ', formatDateTime(deployed.4, '%F %R')), prompt_changed, concat('system prompt ', leftPad(new_prompt, 16, '0')), '') as deploy
from scoped
