-- One row per billed call with its price: the rate, the exact amount if it is known, and bounds if it is not. Everything that
-- shows single calls reads this view; the rollups use the same functions on groups. In stages, because the engine analyses a name at
-- each use and a column only once.
create view if not exists {db}.priced_calls as
select
  *,
  if(completeness in ('priced', 'estimated', 'notional'), any_rate_id, 0) as rate_id,
  if(rate_id = 0, toDecimal128(0, 24), {db}_cost_of(any_rate_id, quantities)) as amount_usd
from (
  select *, {db}_completeness_of(usage_state, context_rate_id, any_rate_id) as completeness
  from (
    select *, if(context_rate_id = 0 and price_context != '', {db}_rate_of('', provider, model, '', priced_at, input_tokens), context_rate_id) as any_rate_id
    from (
      select *, {db}_rate_of('', provider, model, price_context, priced_at, input_tokens) as context_rate_id
      from (
        select *, provider, model, price_context, uncached_input_tokens, quantities, toDateTime(ts, 'UTC') as priced_at
        from {db}.genai_calls final
        where verdict = 'bills'))));
