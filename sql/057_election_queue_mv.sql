-- Queues every trace that gets a span; links count, because they complete a chain of parents. Once for now, and once for when every
-- insert that is under way has ended: a row is stamped when its insert starts, and may be seen only after the election has passed by.
create or replace materialized view {db}.election_queue_mv to {db}.election_queue {as_its_maker}as
select now64(3, 'UTC') + toIntervalSecond(later) as marked_at, trace_id, toUInt32(count()) as spans
from {db}.genai_spans
array join [0, {margin}] as later
group by later, trace_id;
