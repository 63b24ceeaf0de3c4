-- Rates, each with the spans of validity, the sizes of input and the minutes of the day for which the book in force gives it. up_to_tokens: 0
-- is no end.
select
  r.*, s.contract as contract, s.context as context, s.valid_from as valid_from, s.valid_to as valid_to, s.book as book,
  s.candidate.2 as more_than_tokens, arrayMin(arrayFilter(x -> x > s.candidate.2, arrayPushBack(s.above_tokens, 4294967295))) as next_tokens,
  if(next_tokens = 4294967295, 0, next_tokens) as up_to_tokens, s.candidate.3 as from_minute, s.candidate.4 as to_minute
from (select * from rates final where has({rates:Array(UInt32)}, rate_id)) as r
inner join (
  select
    book, contract, provider, model, context, valid_from, valid_to, above_tokens,
    arrayJoin(arrayZip(rate_ids, above_tokens, from_minute, to_minute)) as candidate, candidate.1 as rate
  from rate_segments
  where book = (select max(book) from price_books) and hasAny(rate_ids, {rates:Array(UInt32)})) as s
  on s.rate = r.rate_id and s.provider = r.provider and s.model = r.model
