-- One row: the known money of the whole store, as the calls add up and as the rollup does. Both must be the same.
select (select ifNull(sum(cost_usd), 0) from calls) as calls_usd, (select sum(known_usd) from cost_by_team) as rollup_usd
