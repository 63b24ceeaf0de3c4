-- The price book in force, none if there is none yet; and the highest number that any row has used.
select
  (select max(book) from price_books) as book,
  (select argMax(source_version, book) from price_books) as source_version,
  (select argMax(overrides, book) from price_books) as overrides,
  greatest((select max(book) from price_books), (select max(book) from rate_segments)) as last_used
