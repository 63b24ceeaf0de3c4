-- for each: dimension = team, feature, tenant, agent, task, model
-- One row per hour and {dimension}; empty = not tagged. known_usd is exact and a lower bound; cost_usd is NULL while any call in the row is unknown.
create view if not exists {db}.cost_by_{dimension} as
select
  toDateTime(toStartOfHour(bucket, {zone}), 'UTC') as hour, {dimension},
  sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens, sum(c.known_usd) as known_usd,
  if(unknown_calls = 0, known_usd, null) as cost_usd,
  sumIf(c.calls, c.unknown) as unknown_calls, sumIf(c.input_tokens + c.output_tokens, c.unknown) as unknown_tokens
from {db}.costs as c
group by hour, {dimension};
