-- Service whose numbered spans did not all arrive: how many are missing.
select service, toFloat64(sum(missing)) as value
from lost_spans
group by service
having value >= {lost_spans}
order by value desc
limit 50
