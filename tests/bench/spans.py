"""Makes OTLP requests quickly: one span is built once, and only its ids and times are changed."""

import struct
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.otlp import chat, request

__all__ = ["batch"]


def batch(first: int, count: int) -> bytes:
    """Return a request with that many spans that no other number has; they start within the last minute."""
    tags = {
        "spanledger.team": f"team{first // count % 40}",
        "user.id": f"u{first // count % 900}",
        "server.address": "api.openai.com",
    }
    message = ExportTraceServiceRequest.FromString(request([chat(0, extra=tags)]).body)
    spans = message.resource_spans[0].scope_spans[0].spans
    model = spans[0].SerializeToString()
    del spans[:]
    now = time.time_ns() - 2_000_000_000
    for index in range(count):
        span = Span.FromString(model)
        number = first + index + 1
        span.trace_id, span.span_id = struct.pack(">QQ", 0x5EED, number), struct.pack(">Q", number)
        span.start_time_unix_nano, span.end_time_unix_nano = now + index * 1000, now + index * 1000 + 500_000_000
        spans.append(span)
    return bytes(message.SerializeToString())
