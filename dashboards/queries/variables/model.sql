-- Models that were called in the time range.
select distinct if(model = '', '(untagged)', model) as value from costs where $__timeFilter(bucket) order by value
