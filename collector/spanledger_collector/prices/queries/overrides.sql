-- All prices that the owner ever set, oldest first.
select provider, model, prices, valid_from, valid_to, contract, context, note, created_by, created_at, currency
from price_overrides
order by created_at
