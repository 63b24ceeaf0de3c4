-- Queues every trace that gets a span; links count, because they complete a chain of parents.
create or replace materialized view {db}.election_queue_mv to {db}.election_queue as
select distinct now64(3, 'UTC') as marked_at, trace_id from {db}.genai_spans;
