-- Lands a call that is told as a log event, such as Claude Code's and Codex's, as a span of its own: so that everything that reads spans
-- (the normaliser, the election, a second reading) covers it. Which events are calls: their names stand in operations, a name with
-- its event.kind behind a slash; one that is a link behind its scope and a slash tells again what another event of that scope tells. An event
-- within a span is that span's child; another one is a trace by itself. Its ids are a hash of what tells one event from another, so that a
-- repeated delivery is the same call.
create or replace materialized view {db}.log_calls_mv to {db}.otel_traces {as_its_maker}as
select
  Timestamp - toIntervalNanosecond(took) as Timestamp,
  if(within, TraceId, lower(hex(sipHash128('trace', identity)))) as TraceId,
  -- hex leaves out zeros at the beginning of a number
  leftPad(lower(hex(sipHash64('span', identity))), 16, '0') as SpanId,
  if(within, SpanId_, '') as ParentSpanId,
  '' as TraceState, event as SpanName, 'Internal' as SpanKind, ServiceName, ResourceAttributes,
  -- an event of a tool's own kind is named by the tool, whatever scope it has
  if(startsWith(event, 'gen_ai.'), ScopeName, splitByChar('.', event)[1]) as ScopeName, ScopeVersion,
  mapConcat(LogAttributes, map('spanledger.event', event)) as SpanAttributes,
  toUInt64(took) as Duration,
  if(endsWith(event, 'error') or LogAttributes['error.type'] != '', 'Error', 'Unset') as StatusCode, '' as StatusMessage
from (
  select
    *, SpanId as SpanId_, length(TraceId) = 32 and length(SpanId) = 16 as within,
    (TraceId, SpanId, event, LogAttributes['session.id'], LogAttributes['conversation.id'], LogAttributes['event.sequence'],
      -- older versions number nothing: what two requests of one instant counted tells them apart
      if(event = 'claude_code.api_request' and LogAttributes['event.sequence'] = '' and LogAttributes['request_id'] = '',
        arrayStringConcat(arrayMap(x -> LogAttributes[x], ['model', 'input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_creation_tokens']), '|'),
        -- Gemini CLI and its kin tell of an instant in milliseconds, and two requests may share one
        if(match(event, '^(gemini_cli|qwen-code)\\.'),
          arrayStringConcat(arrayMap(x -> LogAttributes[x], ['prompt_id', 'response_id', 'model', 'input_token_count', 'output_token_count', 'total_token_count', 'duration_ms']), '|'),
          LogAttributes['request_id'])), Timestamp) as identity,
    toInt64(least(greatest(ifNotFinite(toFloat64OrZero(LogAttributes['duration_ms']), 0), 0), 8.64e7) * 1e6) as took
  from (
    select
      *,
      arrayFirst(x -> least(concat(dictGet('{db}.operation_dict', 'role', tuple(x)), '') = 'call', concat(dictGet('{db}.operation_dict', 'role', tuple(concat(ScopeName, '/', x))), '') != 'link'), arrayMap(x -> concat(x, kind), [EventName, LogAttributes['event.name'], substring(Body, 1, 128), concat('claude_code.', LogAttributes['event.name'])])) as event
    from (
      select *, if(LogAttributes['event.kind'] != '', concat('/', LogAttributes['event.kind']), '') as kind
      from {db}.otel_logs
      where EventName != '' or LogAttributes['event.name'] != ''))
  where event like '%.%');
