-- Traces that wait for the election: since how many seconds.
select 'election' as step, toFloat64(dateDiff('second', assumeNotNull(behind_since), now64(3, 'UTC'))) as value
from election_lag
where behind_since is not null and value >= {lag_seconds}
