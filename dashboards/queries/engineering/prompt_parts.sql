-- Characters of the prompts' parts over time, as the SDK measured them.
select
  time, sum(c.system_chars) as system, sum(c.history_chars) as history, sum(c.user_chars) as user_message, sum(c.tool_chars) as tool_results,
  sum(c.retrieved_chars) as retrieved, sum(c.tool_definition_chars) as tool_definitions
from costs_in_steps(since = $__fromTime, until = $__toTime, step = $__interval_s) as c
where {filters}
group by time
having system + history + user_message + tool_results + retrieved + tool_definitions > 0
order by time
