-- Price list that nobody renewed: its age in days.
select source, source_version, toFloat64(list_age_days) as value
from price_book_status
where list_age_days > {price_list_days}
