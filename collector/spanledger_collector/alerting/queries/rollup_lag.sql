-- Rollup that is behind the calls: seconds.
select rollup_table, toFloat64(dateDiff('second', behind_since, now64(3, 'UTC'))) as value
from rollup_lag
where value >= {lag_seconds}
