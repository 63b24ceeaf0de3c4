-- One row: whether traces wait for the election, whether a rollup or view is being made or has to be, and when the election was last held.
select
  (select traces from election_lag) > 0 as waiting,
  exists(select 1 from rollup_lag) or countIf(r.status = 'Running') > 0 as busy,
  toUnixTimestamp(maxIf(r.last_success_time, r.view = 'election')) as held_at
from system.view_refreshes as r
where r.database = currentDatabase()
