-- for each: dimension = user, session
-- One row per hour and {dimension}; empty = not tagged. known_usd is exact and a lower bound; cost_usd is NULL while any call in the row is unknown.
create view if not exists {db}.cost_by_{dimension} as
select
  toDateTime(toStartOfHour(bucket, {zone}), 'UTC') as hour, {dimension},
  sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens, sum(c.known_usd) as known_usd,
  if(unknown_calls = 0, known_usd, null) as cost_usd,
  sum(c.unknown_calls) as unknown_calls, sum(c.unknown_tokens) as unknown_tokens
from {db}.actor_costs as c
group by hour, {dimension};
