-- for each: book = standing, draft
-- The number of the rate for a call, in the {which} book: one lookup, then a pick among the candidates (1 to 8). 0 = no price.
-- A function, because the rollups and the view of single calls must never disagree. The lookup is written out each time and not
-- named: the engine computes equal expressions once, and a name would clash where the function is used twice in a select.
create or replace function {db}_{draft}rate_of {on_cluster} as (contract, provider, model, context, at, total_input) ->
  arrayElement(
    dictGet('{db}.{draft}segment_dict', ('rate_ids', 'above_tokens', 'from_minute', 'to_minute'), (contract, provider, model, context), at).1,
    arrayLastIndex(
      (above, from_minute, to_minute) -> (above = 0 or total_input > above)
        and from_minute <= toHour(at, 'UTC') * 60 + toMinute(at, 'UTC') and toHour(at, 'UTC') * 60 + toMinute(at, 'UTC') < to_minute,
      dictGet('{db}.{draft}segment_dict', ('rate_ids', 'above_tokens', 'from_minute', 'to_minute'), (contract, provider, model, context), at).2,
      dictGet('{db}.{draft}segment_dict', ('rate_ids', 'above_tokens', 'from_minute', 'to_minute'), (contract, provider, model, context), at).3,
      dictGet('{db}.{draft}segment_dict', ('rate_ids', 'above_tokens', 'from_minute', 'to_minute'), (contract, provider, model, context), at).4));
