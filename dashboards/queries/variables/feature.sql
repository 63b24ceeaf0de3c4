-- Features that made calls in the time range.
select distinct if(feature = '', '(untagged)', feature) as value from costs where $__timeFilter(bucket) order by value
