-- Rates, each with the spans of validity that the book in force gives it.
select r.*, s.contract as contract, s.context as context, s.valid_from as valid_from, s.valid_to as valid_to, s.book as book
from (select * from rates final where has({rates:Array(UInt32)}, rate_id)) as r
inner join (
  select book, contract, provider, model, context, valid_from, valid_to, arrayJoin(arrayDistinct(rate_ids)) as rate
  from rate_segments
  where book = (select max(book) from price_books) and hasAny(rate_ids, {rates:Array(UInt32)})) as s
  on s.rate = r.rate_id and s.provider = r.provider and s.model = r.model
