-- One row: how many traces wait for the election.
create or replace view {db}.election_lag (
  traces UInt64 comment 'Traces that wait',
  behind_since Nullable(DateTime64(3, 'UTC')) comment 'Since when the first of them waits; NULL: none does'
) as
select count() as traces, minOrNull(since) as behind_since
from {db}.waiting_traces
comment 'One row';
