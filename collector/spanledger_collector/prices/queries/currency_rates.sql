-- All values of currencies, oldest first.
select currency, valid_from, usd, note, created_by, created_at
from currency_rates
order by created_at
