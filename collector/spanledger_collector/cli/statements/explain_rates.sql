-- A rate with the longest span of validity that the book in force gives it for a call's model and time.
select r.*, s.contract as contract, s.context as context, s.valid_from as valid_from, s.valid_to as valid_to, s.book as book
from (select * from rates final where rate_id = {rate:UInt32}) as r
left join (
  select contract, context, valid_from, valid_to, book from rate_segments
  where book = (select max(book) from price_books) and has(rate_ids, {rate:UInt32})
    and valid_from <= toDateTime({at:Int64}, 'UTC') and valid_to > toDateTime({at:Int64}, 'UTC')
  order by context = '' limit 1) as s on true
