"""The exporter delivers every span, whatever happens to its price, over HTTP and gRPC."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanledger.cost import PriceList
from spanledger.delivery import Delivery
from spanledger.exporter import LedgerExporter
from spanledger.otlp import span_exporter
from spanledger.settings import settings_from

if TYPE_CHECKING:
    import pytest
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

OPENAI_SCOPE = "opentelemetry.instrumentation.genai.openai"
CALL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.response.model": "gpt-5-mini",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 10,
}


def finished(scope: str = OPENAI_SCOPE, **changes: Any) -> ReadableSpan:
    """Return an ended span of a call; `gen_ai__x` in a change stands for `gen_ai.x`."""
    spans = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    attributes = CALL | {key.replace("__", "."): value for key, value in changes.items()}
    provider.get_tracer(scope).start_span("chat", attributes=attributes).end()
    return spans.get_finished_spans()[0]


def exported(span: ReadableSpan, prices: PriceList | None = None) -> ReadableSpan:
    inner = InMemorySpanExporter()
    LedgerExporter(inner, prices or PriceList(), Delivery("http://ledger")).export([span])
    (copy,) = inner.get_finished_spans()
    return copy


def test_the_copy_for_the_ledger_adds_cost_and_changes_nothing_else() -> None:
    span = finished()
    copy = exported(span)

    added = {key: value for key, value in (copy.attributes or {}).items() if key not in CALL}
    assert added == {
        "spanledger.cost_usd": "0.000045000",
        "gen_ai.usage.cost.amount": 0.000045,
        "gen_ai.usage.cost.currency": "USD",
        "gen_ai.usage.cost.source": "local",
    }
    assert "spanledger.cost_usd" not in (span.attributes or {})
    same = ("name", "context", "parent", "resource", "kind", "start_time", "end_time", "instrumentation_scope")
    assert all(getattr(copy, name) == getattr(span, name) for name in same)


def test_fetching_a_stored_response_costs_nothing_a_second_time() -> None:
    assert "spanledger.cost_usd" not in (exported(finished(gen_ai__operation__name="fetch_response")).attributes or {})


def test_an_emitter_whose_counts_mean_something_else_is_left_to_the_ledger() -> None:
    assert "spanledger.cost_usd" not in (exported(finished("openlit.otel.tracing")).attributes or {})


def test_a_broken_price_book_costs_no_span_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    broken = PriceList(cast("Any", object()))

    copies = [exported(finished(), broken) for _ in range(2)]
    assert ["spanledger.cost_usd" in (copy.attributes or {}) for copy in copies] == [False, False]
    assert [record.getMessage() for record in caplog.records] == [
        "spanledger: the cost of a call could not be computed"
    ]


class TraceReceiver(TraceServiceServicer):
    def __init__(self) -> None:
        self.received: list[tuple[dict[str, Any], Any]] = []

    def Export(self, request: Any, context: Any) -> ExportTraceServiceResponse:  # noqa: N802 - the service's name
        self.received.append((dict(context.invocation_metadata()), request))
        return ExportTraceServiceResponse()


def test_grpc_delivers_with_the_settings_headers_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=of-another-back-end")
    receiver = TraceReceiver()
    server = grpc.server(ThreadPoolExecutor(1))
    add_TraceServiceServicer_to_server(receiver, server)  # type: ignore[no-untyped-call] # generated code
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    settings = settings_from({}, {"endpoint": f"http://127.0.0.1:{port}", "protocol": "grpc"})

    exporter: SpanExporter = LedgerExporter(span_exporter(settings), PriceList(), Delivery(settings.traces_url))
    exporter.export([finished()])
    exporter.shutdown()
    server.stop(None).wait()
    ((metadata, request),) = receiver.received
    assert request.resource_spans[0].scope_spans[0].spans[0].name == "chat"
    assert "x-spanledger-sdk-version" in metadata
    assert "api-key" not in metadata
