-- The attributes of a trace's landed spans that mean something, with what they mean, as the normaliser reads them: those of a scoped span behind
-- its name, members of objects behind the object's; nothing where the landing has expired.
-- The engine rewrites `dictGet(...) = constant` into a wrong IN where the key is a tuple; concat keeps it from that.
with
  (field, pairs) -> arrayFilter(x -> concat(dictGet('attribute_dict', 'field', tuple(x.1)), '') = field, pairs) as meaning,
  pairs -> arrayFlatten(arrayMap(x -> arrayMap(m -> (concat(x.1, '.', m.1), m.2), JSONExtractKeysAndValuesRaw(x.2)), arrayFilter(x -> startsWith(x.2, '{'), pairs))) as members
select SpanId as span, ScopeName as scope, ScopeVersion as version, SpanName as name, groupArray((attribute.3, attribute.1, attribute.2)) as known
from (
  select
    SpanId, ScopeName, ScopeVersion, SpanName,
    arrayMap((key, value) -> (toString(key), toValidUTF8(value)), mapKeys(SpanAttributes), mapValues(SpanAttributes)) as plain,
    if(concat(dictGet('attribute_dict', 'field', tuple(toString(SpanName))), '') = 'scoped', arrayMap(x -> (concat(SpanName, '.', x.1), x.2), plain), []) as scoped,
    members(arrayMap(x -> (x.1, if(startsWith(x.2, '{\''), replaceAll(replaceAll(replaceAll(replaceAll(x.2, '\'', '"'), ': None', ': null'), ': True', ': true'), ': False', ': false'), x.2)), meaning('json', plain))) as members_1,
    members(members_1) as members_2, members(members_2) as members_3,
    arrayJoin(arraySort(x -> (x.4, x.1), arrayFilter(x -> not has(['', 'json', 'scoped'], x.3) and not has(['', 'null'], x.2), arrayMap(
      x -> (x.1, substringUTF8(trim(both '"' from x.2), 1, 128), dictGet('attribute_dict', 'field', tuple(x.1)), dictGet('attribute_dict', 'rank', tuple(x.1))),
      arrayConcat(plain, scoped, members_1, members_2, members_3))))) as attribute
  from otel_traces
  where TraceId = {trace:String} and Timestamp >= toDateTime({since:Int64}, 'UTC') and Timestamp < toDateTime({until:Int64}, 'UTC')
  limit 1 by TraceId, SpanId, attribute)
group by span, scope, version, name
limit 5000
