-- Tenants that made calls in the time range.
select distinct if(tenant = '', '(untagged)', tenant) as value from costs where $__timeFilter(bucket) order by value
