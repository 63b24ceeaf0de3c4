-- One row per bucket, tenant, user and session: hours up to two hours ago, minutes after that.
create view if not exists {db}.actor_costs as
with toDateTime(toStartOfHour(now('UTC') - interval 2 hour, {zone}), 'UTC') as seam
select bucket, tenant, user, session, calls, input_tokens, output_tokens, known_usd, unknown_calls, unknown_tokens
from (
  select * from {db}.actor_hours final where bucket < seam
  union all
  select * from {db}.actor_minutes final where bucket >= seam)
where calls != 0;
