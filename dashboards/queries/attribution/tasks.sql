-- Cost by kind of task: what its calls cost, how many single tasks there were, how they ended, and the cost for each one that ended. A task
-- without a word about its end counts as open; its calls cost all the same.
select
  name, if(unknown > 0, '≥', '') as bound, toFloat64(usd) as known_usd, unknown as unknown_calls, n as calls, tasks, ended_tasks,
  if(ended_tasks = 0 or (usd = 0 and unknown > 0), null, toFloat64(usd) / ended_tasks) as usd_per_ended_task, outcomes
from (
  select task as name, sum(c.known_usd) as usd, sumIf(c.calls, c.unknown) as unknown, sum(c.calls) as n
  from costs_between(since = $__fromTime, until = $__toTime) as c
  where task != '' and {filters}
  group by name) as spent
left join (
  select
    of_task as name, sum(of_outcome) as tasks, sumIf(of_outcome, how != '') as ended_tasks,
    arrayStringConcat(arrayMap(x -> concat(x.2, ' ', toString(x.1)), arrayReverseSort(groupArrayIf((of_outcome, how), how != ''))), ', ') as outcomes
  from (
    select task as of_task, ifNull(outcome, '') as how, uniqExact(task_id) as of_outcome
    from spans_judged
    where $__timeFilter(ts) and verdict = 'bills' and task_id != '' and {filters}
    group by of_task, how)
  group by of_task) as ended using name
order by usd desc, n desc, name
limit 50
