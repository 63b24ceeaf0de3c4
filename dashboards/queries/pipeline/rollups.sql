-- Rollups that are behind; none when all is up to date.
select rollup_table, buckets, behind_since, dateDiff('second', behind_since, now64(3, 'UTC')) as behind_seconds from rollup_lag order by behind_since
