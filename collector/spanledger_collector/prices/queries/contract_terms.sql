-- All terms of contracts, oldest first.
select contract, percent, kind, provider, model, meter, valid_from, valid_to, note, created_by, created_at
from contract_terms
order by created_at
