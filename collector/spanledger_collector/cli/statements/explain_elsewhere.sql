-- Whether ids that name no GenAI span are known otherwise (spans that landed, spans that are kept aside), and how many days calls are kept.
select
  (select count() from otel_traces where startsWith(TraceId, {digits:String}) or startsWith(SpanId, {digits:String})) as landed,
  (select count() from trace_spans where startsWith(lower(hex(trace_id)), {digits:String})) as linked,
  (select extract(engine_full, 'TTL .*toIntervalDay\\((\\d+)\\)') from system.tables where database = currentDatabase() and name = 'genai_calls') as kept_days
