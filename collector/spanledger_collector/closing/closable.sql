-- One row: the day from which a month can be closed and whether it has come, whether the month is closed, the first open month (the first with
-- costs while none is closed), and what the ledger still has to do.
with (select max(month) from bookings) as last_closed, (select min(toStartOfMonth(bucket, {zone:String})) from costs) as first_month,
  (select toDateTime({month:Date} + interval 1 month, {zone:String})) as ends_at
select
  {month:Date} + interval 1 month as over_on,
  toDate(now('UTC'), {zone:String}) >= over_on as is_over,
  {month:Date} in (select month from bookings) as is_closed,
  multiIf(last_closed > toDate(0), last_closed + interval 1 month, first_month > toDate(0), first_month, {month:Date}) as first_open,
  -- of this month and those before it, and due for a minute: a busy ledger always has something to do elsewhere
  (select uniqExact(trace_id) from trace_spans where ts < ends_at and trace_id in (
    with (select max((due_to, trace_to)) from elections) as judged_to
    select trace_id from election_queue where marked_at <= now64(3, 'UTC') - interval 1 minute and (marked_at, trace_id) > judged_to)) as waiting,
  (select count() from stale_cost_hours where bucket < ends_at and marked_at >= made_at and marked_at <= now64(3, 'UTC') - interval 1 minute)
    + (select count() from stale_cost_days where bucket < ends_at and marked_at <= now64(3, 'UTC') - interval 1 minute) as behind
