-- The attributes of a trace's landed spans that mean something, with what they mean; nothing where the landing has expired.
select SpanId as span, ScopeName as scope, ScopeVersion as version, SpanName as name, groupArray((attribute.3, attribute.1, attribute.2)) as known
from (
  select
    SpanId, ScopeName, ScopeVersion, SpanName,
    arrayJoin(arraySort(x -> (x.3, x.4), arrayFilter(x -> x.3 != '' and x.2 != '', arrayMap(
      (key, value) -> (toString(key), substringUTF8(toValidUTF8(value), 1, 128), dictGet('attribute_dict', 'field', tuple(toString(key))), dictGet('attribute_dict', 'rank', tuple(toString(key)))),
      mapKeys(SpanAttributes), mapValues(SpanAttributes))))) as attribute
  from otel_traces
  where TraceId = {trace:String} and Timestamp >= toDateTime({since:Int64}, 'UTC') and Timestamp < toDateTime({until:Int64}, 'UTC')
  limit 1 by TraceId, SpanId, attribute)
group by span, scope, version, name
limit 5000
