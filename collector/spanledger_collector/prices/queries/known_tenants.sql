-- Tenants that calls name.
select distinct tenant from costs where tenant != ''
