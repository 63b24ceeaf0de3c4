-- Queues a wrapper that waits for the spans below it once more, for when its grace has ended.
create or replace materialized view {db}.election_pending_mv to {db}.election_queue {as_its_maker}as
select least(end_ts, now64(6, 'UTC')) + interval {grace} + interval 1 second as marked_at, trace_id, toUInt32(1) as spans
from {db}.genai_calls
where verdict = 'pending' and has_usage = 1;
