-- One row: since when calls wait for the election or a rollup of costs, and for how many seconds; NULL when all is summed.
select min(since) as behind_since, greatest(1, dateDiff('second', behind_since, now64(3, 'UTC'))) as seconds
from (
  select toNullable(behind_since) as since from rollup_lag
  union all
  select behind_since as since from election_lag)
