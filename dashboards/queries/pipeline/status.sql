-- State of the ledger now. One row.
select
  landed_spans, if(isNull(last_span_at), null, greatest(0, dateDiff('second', last_span_at, now64(3, 'UTC')))) as silent_seconds, lag_seconds, waiting_traces, quarantined_spans,
  price_list_age_days
from ledger_status
