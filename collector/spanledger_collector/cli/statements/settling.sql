-- One row: whether traces wait for the election, whether the totals' rollups are behind or a view is being made, and when the last
-- election was held. What is kept by user and session follows later and is not waited for.
select
  (select traces from election_lag) > 0 as waiting,
  exists(select 1 from rollup_lag where rollup_table like 'cost_%') or countIf(r.status = 'Running') > 0 as busy,
  toUnixTimestamp(maxIf(r.last_success_time, r.view = 'election')) as held_at
from system.view_refreshes as r
where r.database = currentDatabase()
