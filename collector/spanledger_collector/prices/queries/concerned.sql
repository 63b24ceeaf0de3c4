-- A part of `repriced`: which calls a draft can concern. Only those are read: of the models (by their names as
-- delivered, so that the rest is dropped before it is priced), of the names with a drafted alias, and those that fit a rule of a contract
-- (tenant, account, deployment, environment, service) with one of the providers.
where ts >= toDateTime({since:UInt32}, 'UTC') and ts < toDateTime({until:UInt32}, 'UTC')
  and (
    (provider_raw, model_raw) in (
      select provider_raw, model_raw from drafted_aliases
      union distinct
      select distinct provider_raw, model_raw from genai_calls where has({models:Array(String)}, concat(provider, '/', model)))
    or arrayExists(
      rule -> (rule.1 = '' or rule.1 = tenant) and (rule.2 = '' or rule.2 = account) and (rule.3 = '' or rule.3 = model_raw)
        and (rule.4 = '' or rule.4 = environment) and (rule.5 = '' or rule.5 = service),
      {rules:Array(Tuple(String, String, String, String, String))})
    and (empty({providers:Array(String)})
      or (provider_raw, model_raw) in (select distinct provider_raw, model_raw from genai_calls where has({providers:Array(String)}, toString(provider)))))
