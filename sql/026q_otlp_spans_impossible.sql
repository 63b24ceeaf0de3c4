-- Why a span cannot be booked: its ids, its times, too many attributes, or a count of tokens that no call can have. The engine reads
-- the dictionary only for the long numbers among the values.
alter table {db}.otlp_spans
  modify column impossible String alias multiIf(
    length(TraceId) != 32 or match(TraceId, '[^0-9a-f]') or TraceId = repeat('0', 32), 'trace id is not 16 bytes or is all zero',
    length(SpanId) != 16 or match(SpanId, '[^0-9a-f]') or SpanId = repeat('0', 16), 'span id is not 8 bytes or is all zero',
    start_ns < toUInt64(toUnixTimestamp(now() - interval {calls_days} day + interval 1 day)) * 1000000000, 'starts before the ledger''s retention',
    start_ns > toUInt64(toUnixTimestamp(now() + interval 1 day)) * 1000000000, 'starts more than a day in the future',
    end_ns > start_ns + 864000000000000, 'lasts longer than ten days',
    length(SpanAttributes) + length(ResourceAttributes) > 10000, 'has more than 10,000 attributes',
    arrayExists((name, value) -> length(value) >= 10 and toFloat64OrZero(value) >= 1e9
      and dictGet('{db}.attribute_dict', 'field', tuple(toString(name))) in (
        'input_tokens', 'all_input_tokens', 'uncached_tokens', 'output_tokens', 'reasoning_tokens', 'total_tokens',
        'cache_read_tokens', 'cache_write_tokens', 'cache_write_5m_tokens', 'cache_write_1h_tokens'),
      mapKeys(SpanAttributes), mapValues(SpanAttributes)), 'reports a billion tokens or more',
    '') comment 'Why the span cannot be booked; empty if it can';
