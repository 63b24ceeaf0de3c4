-- Attributes without what they say about the tenant, where a credential stands for one; as they are, where it is empty.
create or replace function {db}_without_tenant {on_cluster} as (tenant, attributes) -> mapFilter(
  (name, value) -> greatest(tenant = '', dictGet('{db}.attribute_dict', 'field', toLowCardinality(toString(name))) != 'tenant'), attributes);
