-- One row per bucket, tenant, user and session: hours up to two hours ago, minutes after that.
create or replace view {db}.actor_costs (
  bucket DateTime('UTC') comment 'Start of the minute or hour',
  tenant LowCardinality(String) comment 'Tag: whose money it is',
  user String comment 'Tag: end user, possibly pseudonymous',
  session String comment 'Tag: conversation or session',
  calls UInt64 comment 'Billed calls',
  input_tokens UInt64 comment 'All input tokens, cached included',
  output_tokens UInt64 comment 'All output tokens, reasoning included',
  known_usd Decimal(38, 24) comment 'Exact cost of the calls whose cost is known, USD; a lower bound of the whole',
  unknown_calls UInt64 comment 'Calls whose cost is not known',
  unknown_tokens UInt64 comment 'Input and output tokens of those calls'
) {as_its_maker}as
with toDateTime(toStartOfHour(now('UTC') - interval 2 hour, {zone}), 'UTC') as seam
select bucket, tenant, user, session, calls, input_tokens, output_tokens, known_usd, unknown_calls, unknown_tokens
from (
  select * from {db}.actor_hours final where bucket < seam
  union all
  select * from {db}.actor_minutes final where bucket >= seam)
where calls != 0
comment 'One row per bucket, tenant, user and session';
