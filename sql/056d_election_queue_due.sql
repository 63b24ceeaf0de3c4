-- The queue also says how much there is to judge, so that a backlog can be cut into slices, and keeps it for a week.
alter table {db}.election_queue
  add column if not exists spans UInt32 default 1 comment 'Spans that arrived',
  comment column marked_at 'When the trace is due: on arrival, once more when every insert that was under way then has ended, and when the grace of a wrapper ends',
  modify ttl toDateTime(marked_at) + interval 7 day;
