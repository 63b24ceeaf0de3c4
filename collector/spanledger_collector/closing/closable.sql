-- One row: the day from which a month can be closed and whether it has come, whether the month is closed, the first open month (the first with
-- costs while none is closed), and what the ledger still has to do.
with (select max(month) from bookings) as last_closed, (select min(toStartOfMonth(bucket, {zone:String})) from costs) as first_month
select
  {month:Date} + interval 1 month as over_on,
  toDate(now('UTC'), {zone:String}) >= over_on as is_over,
  {month:Date} in (select month from bookings) as is_closed,
  multiIf(last_closed > toDate(0), last_closed + interval 1 month, first_month > toDate(0), first_month, {month:Date}) as first_open,
  (select traces from election_lag) as waiting,
  (select count() from rollup_lag) as behind
