-- The newest rules that put a call under its contract, or out of any: as far as their conditions are told of the call.
select contract, tenant, provider, account, deployment, environment, service, valid_from, valid_to, created_at, created_by, note
from contract_assignments
where contract = {contract:String}
  and tenant in ('', {tenant:String}) and provider in ('', {provider:String}) and account in ('', {account:String}) and deployment in ('', {deployment:String})
  and environment in ('', {environment:String}) and service in ('', {service:String})
  and valid_from <= toDateTime({at:Int64}, 'UTC') and valid_to > toDateTime({at:Int64}, 'UTC')
order by created_at desc
limit 1
