-- Models that the price book in force has a price for.
select distinct provider, model
from rate_segments
where book = (select max(book) from price_books) and contract = ''
