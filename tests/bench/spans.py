"""Makes OTLP requests quickly: one span is built once, and only its ids and times are changed."""

import struct

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.otlp import chat, request

__all__ = ["batch"]


def batch(first: int, count: int, start_ns: int, team: str, model: str) -> bytes:
    """Return a request with the spans of those numbers, each of 1000 and 100 tokens, a microsecond after the other."""
    names = {"gen_ai.request.model": model, "gen_ai.response.model": model}
    tags = {"spanledger.team": team, "user.id": f"u{first // count % 900}", "server.address": "api.openai.com"}
    message = ExportTraceServiceRequest.FromString(request([chat(0, tokens=(1000, 100), extra=tags | names)]).body)
    spans = message.resource_spans[0].scope_spans[0].spans
    pattern = spans[0].SerializeToString()
    del spans[:]
    for index in range(count):
        span = Span.FromString(pattern)
        number = first + index + 1
        span.trace_id, span.span_id = struct.pack(">QQ", 0x5EED, number), struct.pack(">Q", number)
        span.start_time_unix_nano = start_ns + index * 1000
        span.end_time_unix_nano = span.start_time_unix_nano + 500_000_000
        spans.append(span)
    return bytes(message.SerializeToString())
