-- Calls of the time range whose emitter computed another cost than the ledger, by likely cause. The ledger's cost is the one that counts.
-- The hours in which an emitter computed any are looked up first: the calls of no other hour are read.
select
  emitter as of_emitter, model as of_model, likely_cause as cause, sum(d.calls) as calls, toFloat64(sum(d.reported_usd)) as reported_usd,
  toFloat64(sum(d.ledger_usd)) as ledger_usd, toFloat64(sum(d.difference_usd)) as difference_usd
from cost_disagreements as d
where $__timeFilter(hour)
  and hour in (
    select toDateTime(toStartOfHour(ts, (select zone from calendar)), 'UTC')
    from genai_calls
    where ts >= $__fromTime and ts <= $__toTime + interval 1 hour and isNotNull(reported_cost_usd))
group by of_emitter, of_model, cause
order by abs(reported_usd - ifNull(ledger_usd, 0)) desc, of_emitter, of_model
limit 50
