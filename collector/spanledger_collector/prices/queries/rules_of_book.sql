-- The rules of one price book that say which calls fall under which contract.
select place, contract, tenant, provider, account, deployment, environment, service, valid_from, valid_to
from contract_rules
where book = {book:UInt32}
order by place
