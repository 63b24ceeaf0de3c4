-- One row per span that landed with the same ids and the same start from more than one tenant. The identity of a call is time, span and trace:
-- of these deliveries one is booked, for one tenant. Ids that are random never meet; who repeats another's spans, or numbers his own, is shown
-- here. Reads the landing: ask for a time.
create or replace view {db}.shared_ids (
  ts DateTime64(6, 'UTC') comment 'Start of the span',
  trace_id String comment 'Trace id',
  span_id String comment 'Span id',
  tenants Array(String) comment 'Tenants that sent it',
  deliveries UInt64 comment 'How often it came'
) as
select ts, trace_id, span_id, groupUniqArray(tenant) as tenants, count() as deliveries
from (
  select
    toDateTime64(Timestamp, 6, 'UTC') as ts, TraceId as trace_id, SpanId as span_id,
    arrayFilter(x -> least(x.1 = 'tenant', x.2 != ''), arrayMap(
      (name, value, more) -> (dictGet('{db}.attribute_dict', 'field', tuple(toString(name))), value, dictGet('{db}.attribute_dict', 'rank', tuple(toString(name))) + more),
      arrayConcat(mapKeys(SpanAttributes), mapKeys(ResourceAttributes)), arrayConcat(mapValues(SpanAttributes), mapValues(ResourceAttributes)),
      arrayConcat(arrayWithConstant(length(SpanAttributes), 0), arrayWithConstant(length(ResourceAttributes), 100)))) as told,
    arraySort(x -> x.3, told)[1].2 as tenant
  from {db}.otel_traces)
group by ts, trace_id, span_id
having length(arrayFilter(x -> x != '', tenants)) > 1
comment 'Spans whose ids and start came from several tenants';
