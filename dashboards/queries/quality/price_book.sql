-- State of the price book. One row.
select list_age_days, unpriced_models, overrides from price_book_status
