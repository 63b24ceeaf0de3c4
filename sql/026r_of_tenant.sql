-- Attributes with the one tenant that a credential stands for, in the place of what they say about it; as they are, where it is empty.
create or replace function {db}_of_tenant {on_cluster} as (tenant, attributes) -> mapConcat(
  {db}_without_tenant(tenant, attributes),
  CAST(if(tenant = '', map(), map('spanledger.tenant', tenant)), 'Map(LowCardinality(String), String)'));
