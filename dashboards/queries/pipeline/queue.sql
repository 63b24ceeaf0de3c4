-- What waits for the election now. One row.
select traces, if(isNull(behind_since), 0, greatest(0, dateDiff('second', behind_since, now64(3, 'UTC')))) as behind_seconds from election_lag
