-- One row per state of cost in a month: how much of its money is known.
select
  completeness, any(c.unknown) as is_unknown, sum(c.calls) as n, sum(c.known_usd) as known, sum(c.estimate_low_usd) as low,
  if(sum(c.unbounded_calls) = 0, toNullable(sum(c.estimate_high_usd)), null) as high
from costs as c
where toStartOfMonth(bucket, {zone:String}) = {month:Date}
group by completeness
order by n desc, completeness
