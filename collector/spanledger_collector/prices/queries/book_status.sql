-- State of the price book.
select book, source_version, list_age_days, stale, unpriced_models, unpriced_calls, list_learned_at
from price_book_status
