-- One row per billed call that the drafted price book prices otherwise than the standing one: the preview and the audit of a change. In
-- stages like priced_calls, and with the same functions. Only calls whose rollups can still be made again. Ask by time, names as delivered
-- and tags: the array join keeps the engine from pricing a call before it looked whether that is asked for.
create or replace view {db}.repriced_calls (
  ts DateTime64(6, 'UTC') comment 'Start of the call',
  month Date comment 'Its month, in the reporting time zone',
  tenant LowCardinality(String) comment 'Tag: whose money it is',
  team LowCardinality(String) comment 'Tag: who spends it',
  account LowCardinality(String) comment 'Account at the provider; empty: not told',
  environment LowCardinality(String) comment 'Deployment environment',
  service LowCardinality(String) comment 'service.name of the resource',
  provider_raw LowCardinality(String) comment 'Provider as delivered',
  model_raw LowCardinality(String) comment 'Model as delivered',
  provider LowCardinality(String) comment 'Provider in the standing price book',
  model LowCardinality(String) comment 'Model in the standing price book',
  new_provider String comment 'Provider in the draft',
  new_model String comment 'Model in the draft',
  contract String comment 'Contract whose price it pays; empty: none',
  new_contract String comment 'Contract in the draft',
  completeness String comment 'State of its cost',
  new_completeness String comment 'State in the draft',
  rate_id UInt32 comment 'Rate that prices it; 0: none',
  new_rate_id UInt32 comment 'Rate in the draft; 0: none',
  input_tokens UInt32 comment 'All input tokens',
  output_tokens UInt32 comment 'All output tokens',
  old_usd Decimal(38, 24) comment 'Known cost now, USD; 0 where it is not known',
  new_usd Decimal(38, 24) comment 'Known cost in the draft, USD; 0 where it is not known'
) as
select
  ts, toStartOfMonth(toDateTime(ts, {zone})) as month, tenant, team, account, environment, service, provider_raw, model_raw, provider, model, new_provider, new_model,
  contract, new_contract, completeness, new_completeness, rate_id, new_rate_id, input_tokens, output_tokens,
  {db}_cost_of(rate_id, quantities) * (completeness = 'priced') as old_usd,
  {db}_cost_of(new_rate_id, quantities) * (new_completeness = 'priced') as new_usd
from (
  select
    *,
    any_rate_id * (completeness in ('priced', 'estimated', 'notional')) as rate_id,
    new_any_rate_id * (new_completeness in ('priced', 'estimated', 'notional')) as new_rate_id
  from (
    select
      *,
      {db}_completeness_of(usage_state, (input_audio_tokens + cache_read_audio_tokens > 0) + 2 * (output_audio_tokens > 0), context_rate_id, any_rate_id) as completeness,
      {db}_completeness_of(usage_state, (input_audio_tokens + cache_read_audio_tokens > 0) + 2 * (output_audio_tokens > 0), new_context_rate_id, new_any_rate_id) as new_completeness
    from (
      select
        *,
        context_rate_id + (context_rate_id = 0) * standard_rate_id as any_rate_id,
        new_context_rate_id + (new_context_rate_id = 0) * new_standard_rate_id as new_any_rate_id
      from (
        select
          *,
          {db}_rate_of(contract, provider, model, {db}_regional_of(price_context, provider, model, region), priced_at, input_tokens) as context_rate_id,
          {db}_rate_of(contract, provider, model, {db}_regional_of('', provider, model, region), priced_at, input_tokens) as standard_rate_id,
          {db}_draft_rate_of(new_contract, new_provider, new_model, {db}_draft_regional_of(price_context, new_provider, new_model, region), priced_at, input_tokens) as new_context_rate_id,
          {db}_draft_rate_of(new_contract, new_provider, new_model, {db}_draft_regional_of('', new_provider, new_model, region), priced_at, input_tokens) as new_standard_rate_id
        from (
          select
            *,
            {db}_contract_of((select rules from {db}.rules_in_force), tenant, provider, account, model_raw, environment, service, model, priced_at) as contract,
            {db}_draft_contract_of((select rules from {db}.draft_rules_in_force), tenant, new_provider, account, model_raw, environment, service, new_model, priced_at) as new_contract
          from (
            select *, if(alias.2 = '', toString(provider_raw), alias.1) as new_provider, if(alias.2 = '', toString(model_raw), alias.2) as new_model
            from (
              select
                *, priced_at, provider, model, price_context, quantities,
                dictGet('{db}.draft_alias_dict', ('provider', 'model'), (provider_raw, model_raw)) as alias
              from {db}.genai_calls final
              array join [toDateTime(ts, 'UTC')] as priced_at
              where verdict = 'bills' and ts > now('UTC') - interval {calls_days} day + interval 25 hour)))))))
where rate_id != new_rate_id or completeness != new_completeness or toString(provider) != new_provider or toString(model) != new_model
comment 'One row per call that a draft prices otherwise';
