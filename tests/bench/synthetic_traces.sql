-- Traces of ten spans: an agent, under it three HTTP spans, under each of these a call by one instrumentation and below that by another.
insert into otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName, ScopeVersion, SpanAttributes, Duration, StatusCode)
select
  now64(9) - 7200 + toIntervalMillisecond(number), lower(hex(sipHash128(intDiv(number, 10)))), leftPad(lower(hex(number + 1)), 16, '0'),
  if(number % 10 = 0, '', leftPad(lower(hex(number + 1 - if(number % 10 < 4, number % 10, 3))), 16, '0')), 'span', 'Client', 'app', map('service.name', 'app'),
  if(number % 10 > 6, 'opentelemetry.instrumentation.genai.openai', if(number % 10 > 3, 'openinference.instrumentation.openai', 'http')), '1',
  multiIf(
    number % 10 = 0, map('gen_ai.operation.name', 'invoke_agent', 'spanledger.team', concat('team', toString(number % 40))),
    number % 10 > 3, map('gen_ai.operation.name', 'chat', 'gen_ai.provider.name', 'openai', 'gen_ai.response.model', 'gpt-4o-mini',
      'gen_ai.response.id', concat('chatcmpl-', lower(hex(sipHash128(intDiv(number, 10) * 10 + number % 3)))), 'gen_ai.usage.input_tokens', '1000', 'gen_ai.usage.output_tokens', '100'),
    map('http.request.method', 'POST')),
  1000000000, 'Unset'
from numbers({spans:UInt64})
settings max_block_size = 20000, min_insert_block_size_rows = 20000, max_insert_threads = 1
