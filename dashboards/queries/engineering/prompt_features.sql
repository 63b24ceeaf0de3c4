-- Mean characters of a prompt's parts by feature, largest prompts first.
select
  if(feature = '', '(untagged)', feature) as name, sum(c.calls) as calls,
  sum(c.system_chars + c.history_chars + c.user_chars + c.tool_chars + c.retrieved_chars + c.tool_definition_chars) / sum(c.calls) as whole,
  sum(c.system_chars) / sum(c.calls) as system, sum(c.history_chars) / sum(c.calls) as history, sum(c.user_chars) / sum(c.calls) as user_message,
  sum(c.tool_chars) / sum(c.calls) as tool_results, sum(c.retrieved_chars) / sum(c.calls) as retrieved, sum(c.tool_definition_chars) / sum(c.calls) as tool_definitions
from costs_between(since = $__fromTime, until = $__toTime) as c
where {filters}
group by name
having whole > 0
order by whole desc, name
limit 30
