-- The hours of a table of spans, and how many spans each has; {table} was checked to be a name.
select toStartOfHour(toDateTime(Timestamp, 'UTC')) as hour, count() as spans
from {table}
where Timestamp >= toDateTime({since:Int64}, 'UTC') and Timestamp < toDateTime({until:Int64}, 'UTC')
group by hour
order by hour
