-- Forgets the minutes that are marked.
delete from repriced_minutes where book in (select book from price_books)
