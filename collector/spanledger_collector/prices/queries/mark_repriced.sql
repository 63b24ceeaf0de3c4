-- Marks the minutes that the book in force priced otherwise and that were not marked since; and those that were marked while it was
-- drafted, because their sums may have been made with the old prices. Does nothing when all is done.
insert into dirty_minutes (minute, marked_at)
select m.minute as minute, now64(3, 'UTC') as marked_at
from (
  select distinct minute from repriced_minutes where book = (select max(book) from price_books)
  union distinct
  select minute from dirty_minutes where marked_at >= (select max(written_at) from repriced_minutes where book = (select max(book) from price_books)) - interval 10 minute
    and marked_at <= (select argMax(learned_at, book) from price_books)) as m
left join (select minute, max(marked_at) as last from dirty_minutes group by minute) as d on d.minute = m.minute
where d.last <= (select argMax(learned_at, book) from price_books)
