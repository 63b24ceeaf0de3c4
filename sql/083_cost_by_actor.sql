-- for each: dimension = user, session
-- One row per hour and {dimension}; empty = not tagged. known_usd is exact and a lower bound; cost_usd is NULL while any call in the row is unknown.
create or replace view {db}.cost_by_{dimension} (
  hour DateTime('UTC') comment 'Start of the hour in the reporting time zone',
  {dimension} String comment 'The {dimension}; empty: not tagged',
  calls UInt64 comment 'Billed calls',
  input_tokens UInt64 comment 'All input tokens, cached included',
  output_tokens UInt64 comment 'All output tokens, reasoning included',
  known_usd Decimal(38, 24) comment 'Exact cost of the calls whose cost is known, USD; a lower bound of the whole',
  cost_usd Nullable(Decimal(38, 24)) comment 'Exact cost in USD; NULL while it is not known',
  unknown_calls UInt64 comment 'Calls whose cost is not known',
  unknown_tokens UInt64 comment 'Input and output tokens of those calls'
) as
select
  toDateTime(toStartOfHour(bucket, {zone}), 'UTC') as hour, {dimension},
  sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens, sum(c.known_usd) as known_usd,
  if(unknown_calls = 0, known_usd, null) as cost_usd,
  sum(c.unknown_calls) as unknown_calls, sum(c.unknown_tokens) as unknown_tokens
from {db}.actor_costs as c
group by hour, {dimension}
comment 'One row per hour and {dimension}; empty = not tagged';
