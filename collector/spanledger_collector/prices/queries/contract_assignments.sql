-- All assignments of contracts, oldest first.
select contract, tenant, provider, account, deployment, environment, service, valid_from, valid_to, note, created_by, created_at
from contract_assignments
order by created_at
