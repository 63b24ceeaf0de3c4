-- One row: whether traces wait for the election, whether the totals' rollups are behind or a view is being made, and since when all that totals
-- need was made anew (when the choice of traces to judge, or the rollup of costs, that is oldest began). What is kept by user and session follows later and is
-- not waited for.
select
  (select traces from election_lag) > 0 as waiting,
  exists(select 1 from rollup_lag where rollup_table like 'cost_%') or countIf(r.status = 'Running') > 0 as busy,
  toUnixTimestamp(minIf(ifNull(r.last_success_time, toDateTime(0)), r.view in ('election_slice', 'cost_minutes_mv', 'cost_hours_mv'))) as began_at
from system.view_refreshes as r
where r.database = currentDatabase()
