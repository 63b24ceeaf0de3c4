-- Deployment environments that made calls in the time range.
select distinct if(environment = '', '(untagged)', environment) as value from costs where $__timeFilter(bucket) order by value
