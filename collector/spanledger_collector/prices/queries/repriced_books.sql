-- Whether a book in force changed minutes that are not marked yet.
select 1 from repriced_minutes where book in (select book from price_books) limit 1
