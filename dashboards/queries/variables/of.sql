-- Values of a tag that made calls in the time range.
select distinct if({tag} = '', '(untagged)', {tag}) as value from costs where $__timeFilter(bucket) order by value
