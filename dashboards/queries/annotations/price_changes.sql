-- Changes of prices that changed the cost of calls.
select at as time, concat('Prices: ', why, ' (', formatReadableQuantity(sum(h.calls)), ' calls, ', if(sum(h.delta_usd) < 0, '', '+'), toString(round(sum(h.delta_usd), 2)), ' USD)') as text, 'price change' as tags
from repricing_history as h
where $__timeFilter(at)
group by at, why
order by time
limit 100
