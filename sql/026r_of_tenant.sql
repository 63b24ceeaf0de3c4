-- Attributes without what they say about the tenant, and with the one tenant that a credential stands for, if one is given.
create or replace function {db}_of_tenant {on_cluster} as (tenant, attributes) -> mapConcat(
  mapFilter((name, value) -> dictGet('{db}.attribute_dict', 'field', tuple(toString(name))) != 'tenant', attributes),
  CAST(if(tenant = '', map(), map('spanledger.tenant', tenant)), 'Map(LowCardinality(String), String)'));
