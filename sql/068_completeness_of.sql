-- The state of a call's cost, from how its usage is known and which rates there are: that of its context (exact), or that of any
-- context (a tier without a price of its own is priced at standard, and says so).
create or replace function {db}_completeness_of {on_cluster} as (usage_state, context_rate_id, rate_id) ->
  multiIf(
    usage_state in ('failed_not_billed', 'failed_maybe_billed', 'no_usage', 'notional'), usage_state,
    rate_id = 0, 'unpriced_model',
    usage_state = 'reported' and context_rate_id != 0, 'priced',
    'estimated');
