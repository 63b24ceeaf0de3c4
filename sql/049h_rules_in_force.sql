-- for each: book = standing, draft
-- One row: the rules of the {which} book as one array of tuples, in their order, for contract_of.
create or replace view {db}.{draft}rules_in_force (
  rules Array(Tuple(UInt16, String, String, String, String, String, String, String, DateTime('UTC'), DateTime('UTC'))) comment 'place, contract, tenant, provider, account, deployment, environment, service, valid_from, valid_to'
) as
select arraySort(groupArray((place, toString(contract), tenant, provider, account, deployment, environment, service, valid_from, valid_to))) as rules
from {db}.contract_rules
where book = ({book})
comment 'The rules of contracts as one array';
