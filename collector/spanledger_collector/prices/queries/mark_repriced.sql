-- Marks the minutes that the books in force priced otherwise and that were not marked yet; and those with calls that came since the first of
-- these was looked at (a minute earlier, because a mark is stamped before its calls can be seen): these were perhaps summed with the old
-- prices, and nobody has looked whether theirs changed. Minutes before 1971 only say when a book's calls were looked at.
insert into dirty_minutes (minute, marked_at)
select distinct minute, now64(3, 'UTC') as marked_at
from (
  select minute from repriced_minutes where book in (select book from price_books) and toYear(minute) > 1970
  union all
  select minute from dirty_minutes
  where marked_at >= (select min(written_at) from repriced_minutes where book in (select book from price_books)) - interval 1 minute)
