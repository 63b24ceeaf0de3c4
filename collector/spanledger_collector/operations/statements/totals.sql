-- One row: what a ledger holds, to the last digit; two ledgers of the same data have the same row.
select
  (select count() from genai_calls final) as genai_spans,
  (select count() from calls) as calls,
  (select toString(sum(cost_usd)) from calls) as cost_usd,
  (select toString(sum(known_usd)) from costs) as rolled_up_usd,
  (select sum(c.calls) from costs as c) as rolled_up_calls,
  (select toString(sum(booked_usd)) from statements) as booked_usd
