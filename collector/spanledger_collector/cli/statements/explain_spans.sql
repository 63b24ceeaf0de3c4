-- Every GenAI span of a trace with its verdict, its facts and, where it bills, its price; in order of time.
select
  s.ts as ts, lower(hex(s.trace_id)) as trace, leftPad(lower(hex(s.span_id)), 16, '0') as span, if(s.parent_span_id = 0, '', leftPad(lower(hex(s.parent_span_id)), 16, '0')) as parent,
  s.role as role, s.operation as operation, s.service as service, s.emitter as emitter, s.usage_rule as usage_rule, s.usage_state as usage_state, s.status as status, s.error_type as error_type,
  s.verdict as verdict, s.reason as reason, if(s.winner_span_id = 0, '', lower(hex(s.winner_trace_id))) as winner_trace, if(s.winner_span_id = 0, '', leftPad(lower(hex(s.winner_span_id)), 16, '0')) as winner_span,
  s.provider_raw as provider_raw, s.model_raw as model_raw, s.provider as provider, s.model as model, s.service_tier as service_tier, s.price_context as price_context, s.account as account, s.region as region,
  s.response_id as response_id, s.attempts as attempts, dateDiff('microsecond', s.ts, s.end_ts) / 1000 as duration_ms, s.quantities as quantities,
  s.input_tokens as input_tokens, s.cache_read_tokens as cache_read_tokens, s.cache_write_tokens as cache_write_tokens, s.output_tokens as output_tokens, s.reasoning_tokens as reasoning_tokens,
  s.tenant as tenant, s.team as team, s.feature as feature, s.user as user, s.session as session, s.task as task, s.agent as agent, s.agent_step as agent_step, s.environment as environment,
  p.completeness as completeness, p.rate_id as rate_id, p.context_rate_id as context_rate_id, p.amount_usd as amount_usd, p.low_usd as low_usd, p.high_usd as high_usd, p.contract as contract, s.reported_cost_usd as reported_cost_usd,
  p.list_rate_id as list_rate_id, toStartOfMonth(toDateTime(s.ts, {zone:String})) as month
from (select *, provider, model, quantities from genai_calls final where trace_id = unhex({trace:String})) as s
left join (
  select
    ts, span_id, completeness, rate_id, context_rate_id, amount_usd, low_usd, high_usd, contract,
    -- what everybody pays for it, beside the price of its contract
    spanledger_rate_of('', provider, model, spanledger_regional_of(if(context_rate_id = rate_id, price_context, ''), provider, model, region), priced_at, input_tokens) * (contract != '') as list_rate_id
  from priced_calls
  where trace_id = unhex({trace:String})) as p on s.ts = p.ts and s.span_id = p.span_id
order by ts, span
limit {limit:UInt32}
