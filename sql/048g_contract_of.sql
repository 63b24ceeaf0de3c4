-- for each: book = standing, draft
-- The contract whose price a call pays, in the {which} book; empty: it pays what everybody does. The first of the rules (contract_rules in
-- their order) that fits decides, if that contract has a price for the model at all.
create or replace function {db}_{draft}contract_of {on_cluster} as (rules, tenant, provider, account, deployment, environment, service, model, at) ->
  dictGet('{db}.{draft}contract_dict', 'contract', (
    arrayFirst(r -> (r.3 = '' or r.3 = tenant) and (r.4 = '' or r.4 = provider) and (r.5 = '' or r.5 = account) and (r.6 = '' or r.6 = deployment)
      and (r.7 = '' or r.7 = environment) and (r.8 = '' or r.8 = service) and r.9 <= at and at < r.10, rules).2,
    provider, model));
