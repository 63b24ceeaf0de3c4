-- The segments of one price book.
select contract, provider, model, context, valid_from, valid_to, above_tokens, from_minute, to_minute, rate_ids
from rate_segments
where book = {book:UInt32}
order by contract, provider, model, context, valid_from
