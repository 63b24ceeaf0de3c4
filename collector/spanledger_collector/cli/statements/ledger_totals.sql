-- What the ledger holds in all.
select
  sum(c.calls) as calls, sum(c.known_usd) as known_usd, sumIf(c.calls, c.unknown) as unknown_calls,
  (select count() from otel_traces) as spans, (select count() from quarantined_spans) as quarantined_spans
from costs as c
