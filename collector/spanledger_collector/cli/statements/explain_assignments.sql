-- The rules that put calls under some contracts, the newest first.
select contract, tenant, provider, account, deployment, environment, service, valid_from, valid_to, created_at, created_by, note
from contract_assignments
where has({contracts:Array(String)}, contract)
order by created_at desc
