-- GenAI spans of the time range by verdict: one of them bills each call, the others repeat or wrap it and cost nothing.
select
  emitter as of_emitter, count() as spans, countIf(verdict = 'bills') as billed, countIf(verdict = 'duplicate') as duplicates, countIf(verdict = 'covered') as covered,
  countIf(verdict = 'wrapper') as wrappers, countIf(verdict = 'pending') as pending
from spans_judged
where $__timeFilter(ts)
group by of_emitter
order by spans desc, of_emitter
