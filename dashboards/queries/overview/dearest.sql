-- The dearest values of a tag in the time range.
select if({tag} = '', '(untagged)', {tag}) as name, toFloat64(sum(c.known_usd)) as known_usd, sumIf(c.calls, c.unknown) as unknown_calls
from costs_between(since = $__fromTime, until = $__toTime) as c
where {filters}
group by {tag}
order by known_usd desc, name
limit 10
