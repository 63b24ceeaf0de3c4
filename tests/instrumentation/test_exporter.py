"""What goes to the ledger: every span, with its cost where there is one, and nothing else changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanledger.call_metrics import CallMetrics
from spanledger.cost import PriceList
from spanledger.exporter import LedgerEncoder
from spanledger.process import process_id
from spanledger.processor import EndedSpan
from tests.instrumentation.conftest import _values

if TYPE_CHECKING:
    import pytest
    from opentelemetry.sdk.trace import ReadableSpan

OPENAI_SCOPE = "opentelemetry.instrumentation.genai.openai"
CALL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.response.model": "gpt-5-mini",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 10,
}


def finished(scope: str = OPENAI_SCOPE, resource: dict[str, str] | None = None, **changes: Any) -> ReadableSpan:
    """Return an ended span of a call; `gen_ai__x` in a change stands for `gen_ai.x`."""
    spans = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False, resource=Resource(resource or {}))
    provider.add_span_processor(SimpleSpanProcessor(spans))
    attributes = CALL | {key.replace("__", "."): value for key, value in changes.items()}
    provider.get_tracer(scope).start_span("chat", attributes=attributes).end()
    return spans.get_finished_spans()[0]


def exported(span: ReadableSpan, prices: PriceList | None = None) -> tuple[Any, dict[str, Any]]:
    """Return the span of the request, and its resource."""
    body = LedgerEncoder(prices or PriceList(), CallMetrics())([EndedSpan(span, is_counted=True)])
    ((resource_spans,),) = ([ExportTraceServiceRequest.FromString(body).resource_spans],)
    return resource_spans[0].scope_spans[0].spans[0], _values(resource_spans[0].resource.attributes)


def test_the_copy_for_the_ledger_adds_cost_and_changes_nothing_else() -> None:
    span = finished()
    copy, _ = exported(span)

    added = {key: value for key, value in _values(copy.attributes).items() if key not in CALL}
    assert added == {
        "spanledger.cost_usd": "0.000045000",
        "gen_ai.usage.cost.amount": 0.000045,
        "gen_ai.usage.cost.currency": "USD",
        "gen_ai.usage.cost.source": "local",
    }
    assert "spanledger.cost_usd" not in (span.attributes or {})
    assert (copy.name, copy.start_time_unix_nano, copy.end_time_unix_nano) == ("chat", span.start_time, span.end_time)
    assert span.context is not None
    assert (int(copy.trace_id.hex(), 16), int(copy.span_id.hex(), 16)) == (span.context.trace_id, span.context.span_id)


def test_fetching_a_stored_response_costs_nothing_a_second_time() -> None:
    copy, _ = exported(finished(gen_ai__operation__name="fetch_response"))

    assert "spanledger.cost_usd" not in _values(copy.attributes)


def test_an_emitter_whose_counts_mean_something_else_is_left_to_the_ledger() -> None:
    copy, _ = exported(finished("openlit.otel.tracing"))

    assert "spanledger.cost_usd" not in _values(copy.attributes)


def test_a_broken_price_book_costs_no_span_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    broken = PriceList(cast("Any", object()))

    copies = [exported(finished(), broken)[0] for _ in range(2)]
    assert ["spanledger.cost_usd" in _values(copy.attributes) for copy in copies] == [False, False]
    assert [record.getMessage() for record in caplog.records] == [
        "spanledger: the cost of a call could not be computed"
    ]


def test_the_instance_of_a_pod_is_told_apart_by_process() -> None:
    _, of_a_pod = exported(finished(resource={"service.instance.id": "shop-pod-1"}))
    _, of_nothing = exported(finished())

    assert of_a_pod["service.instance.id"] == f"shop-pod-1/{process_id()}"
    assert of_nothing["service.instance.id"] == process_id()
