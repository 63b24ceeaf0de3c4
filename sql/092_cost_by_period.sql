-- for each: period = day, month
-- One row per {period} of the reporting time zone: a day begins at local midnight, so two days of a year have 23 and 25 hours where
-- clocks change. No hour crosses a midnight, so the sums of days and of months equal the total. cost_usd is NULL while any call is unknown.
create or replace view {db}.cost_by_{period} (
  {period} Date comment 'First day of the {period}, in the reporting time zone',
  calls UInt64 comment 'Billed calls',
  input_tokens UInt64 comment 'All input tokens, cached included',
  output_tokens UInt64 comment 'All output tokens, reasoning included',
  known_usd Decimal(38, 24) comment 'Exact cost of the calls whose cost is known, USD; a lower bound of the whole',
  cost_usd Nullable(Decimal(38, 24)) comment 'Exact cost in USD; NULL while it is not known',
  unknown_calls UInt64 comment 'Calls whose cost is not known',
  unknown_tokens UInt64 comment 'Input and output tokens of those calls'
) as
select
  {period_start} as {period},
  sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens, sum(c.known_usd) as known_usd,
  if(unknown_calls = 0, known_usd, null) as cost_usd,
  sumIf(c.calls, c.unknown) as unknown_calls, sumIf(c.input_tokens + c.output_tokens, c.unknown) as unknown_tokens
from {costs} as c
group by {period}
comment 'One row per {period} of the reporting time zone';
