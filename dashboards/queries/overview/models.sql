-- The dearest models of the time range.
select if(model = '', '(untagged)', model) as name, toFloat64(sum(c.known_usd)) as known_usd, sumIf(c.calls, c.unknown) as unknown_calls
from costs as c
where $__timeFilter(bucket) and {filters}
group by name
order by known_usd desc, name
limit 10
