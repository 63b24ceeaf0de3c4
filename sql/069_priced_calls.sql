-- One row per billed call with its price: the rate, the exact amount if it is known, and bounds if it is not. Everything that
-- shows single calls reads this view; the rollups use the same functions on groups.
create view if not exists {db}.priced_calls as
select
  *, provider, model, uncached_input_tokens, quantities,
  {db}_rate_of('', provider, model, price_context, toDateTime(ts, 'UTC'), input_tokens) as context_rate_id,
  if(context_rate_id = 0 and price_context != '', {db}_rate_of('', provider, model, '', toDateTime(ts, 'UTC'), input_tokens), context_rate_id) as any_rate_id,
  {db}_completeness_of(usage_state, context_rate_id, any_rate_id) as completeness,
  if(completeness in ('priced', 'estimated', 'notional'), any_rate_id, 0) as rate_id,
  if(rate_id = 0, toDecimal128(0, 24), {db}_cost_of(rate_id, quantities)) as amount_usd
from {db}.genai_calls final
where verdict = 'bills';
