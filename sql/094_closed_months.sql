-- One row per closed month: who closed it, when and why, and what was booked.
create or replace view {db}.closed_months (
  month Date comment 'Closed month, in the reporting time zone',
  calls Int64 comment 'Billed calls of the month itself, as booked',
  booked_usd Decimal(38, 24) comment 'Known cost of the month itself, as booked, USD',
  adjustment_usd Decimal(38, 24) comment 'Adjustments of earlier months, booked in this one, USD',
  closed_at DateTime64(3, 'UTC') comment 'When it was closed',
  closed_by String comment 'Who closed it',
  note String comment 'Why, or what to know about it'
) as
select
  month, sumIf(b.calls, about = month) as calls, sumIf(amount_usd, about = month) as booked_usd, sumIf(amount_usd, about < month) as adjustment_usd,
  max(b.closed_at) as closed_at, any(b.closed_by) as closed_by, any(b.note) as note
from {db}.bookings as b
group by month
comment 'One row per closed month';
