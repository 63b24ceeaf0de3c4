-- Teams that made calls in the time range.
select distinct if(team = '', '(untagged)', team) as value from costs where $__timeFilter(bucket) order by value
