-- The tags that each span of a trace, and each span that lost to one of it, carried itself: where inherited ones come from.
select
  leftPad(lower(hex(span_id)), 16, '0') as span, if(parent_span_id = 0, '', leftPad(lower(hex(parent_span_id)), 16, '0')) as parent, lower(hex(trace_id)) as trace,
  tenant, team, feature, user, session, task, agent, agent_step, environment
from trace_spans final
where trace_id in (
  select unhex({trace:String})
  union all
  select trace_id from genai_calls final
  where winner_trace_id = unhex({trace:String}) and ts >= toDateTime({since:Int64}, 'UTC') - interval 1 hour and ts < toDateTime({until:Int64}, 'UTC') + interval 1 hour)
order by version desc
limit 1 by trace, span
limit 20000
