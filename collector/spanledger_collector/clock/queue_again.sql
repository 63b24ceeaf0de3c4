-- What would be due only when the clock has caught up is due now.
insert into election_queue (marked_at, trace_id, spans)
select toDateTime64({at:String}, 3, 'UTC'), trace_id, sum(spans) from election_queue where marked_at > toDateTime64({at:String}, 3, 'UTC') group by trace_id
