"""What is written of a span is what OpenTelemetry's own encoder writes."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from spanledger.wire import write_attributes, write_scope, write_span

if TYPE_CHECKING:
    from collections.abc import Mapping


class Level(IntEnum):
    HIGH = 3


VALUES: dict[str, Any] = {
    "text": "ü",
    "number": -7,
    "share": 0.5,
    "flag": True,
    "bytes": b"\x00",
    "member": Level.HIGH,
    "nothing": None,
    "texts": ("a", "b"),
    "empty": (),
    "nested": {"a": [1, {"b": "c"}]},
}
CONTEXT = SpanContext(2**100, 7, is_remote=False, trace_state=TraceState([("vendor", "x")]))
REMOTE = SpanContext(2**100, 6, is_remote=True, trace_flags=TraceFlags(1))


def written(attributes: Mapping[str, Any]) -> Span:
    message = Span()
    write_attributes(message.attributes, attributes)
    return message


def test_a_span_is_written_as_the_sdk_writes_it() -> None:
    span = ReadableSpan(
        "chat",
        CONTEXT,
        REMOTE,
        Resource({"service.name": "shop"}),
        VALUES,
        [Event("exception", {"exception.type": "E"}, 5)],
        [Link(REMOTE, {"why": "retry"})],
        SpanKind.CLIENT,
        status=Status(StatusCode.ERROR, "no"),
        start_time=1,
        end_time=2,
        instrumentation_scope=InstrumentationScope("scope", "1", "https://schema", {"a": 1}),
    )
    message, scope_spans, resource_spans = Span(), ScopeSpans(schema_url="https://schema"), ResourceSpans()
    write_span(
        message,
        span,
        name=span.name,
        attributes=span.attributes or {},
        events=span.events,
        links=span.links,
        status=span.status,
    )
    assert span.instrumentation_scope is not None
    write_scope(scope_spans.scope, span.instrumentation_scope)
    write_attributes(resource_spans.resource.attributes, span.resource.attributes)

    (expected,) = encode_spans([span]).resource_spans
    assert message == expected.scope_spans[0].spans[0]
    assert scope_spans.scope == expected.scope_spans[0].scope
    assert resource_spans.resource == expected.resource


@pytest.mark.parametrize("value", [2**64, "\ud800", object()])
def test_a_value_that_cannot_be_written_costs_no_other(value: object, caplog: pytest.LogCaptureFixture) -> None:
    message = written({"good": 1, "bad": value, "also good": "x"})

    assert [pair.key for pair in message.attributes] == ["good", "also good"]
    assert [record.getMessage() for record in caplog.records] == [
        "spanledger: the attribute bad cannot be sent, and is left out"
    ]
