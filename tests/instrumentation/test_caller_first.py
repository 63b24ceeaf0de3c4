"""The caller comes first: whatever breaks in the SDK or behind it, calls get their answer and nothing else."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from spanledger import exporter, processor, shadow, usage
from spanledger.calls import wrapper
from spanledger.calls.record import CallRecord
from spanledger.once import error_counts
from tests.instrumentation.test_calls import chat, messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import Metered


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a bug of ours")


@pytest.mark.parametrize(
    ("module", "name", "place"),
    [
        (processor, "current_tags", "on-start"),
        (processor, "is_one_call", "on-start"),
        (processor, "EndedSpan", "on-end"),
        (exporter, "usage_of", "cost"),
        (exporter, "native_facts_by_parent", "encode"),
        (exporter, "_write_copy", "encode"),
        (wrapper, "CallRecord", "describe"),
        (wrapper, "within", "enter"),
        (wrapper, "current_call", "propagate"),
        (CallRecord, "release", "leave"),
    ],
)
def test_a_bug_of_ours_costs_the_caller_nothing_and_is_told_once(
    module: Any,
    name: str,
    place: str,
    metered: Metered,
    vendor: VendorServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, name, broken)

    answers = [chat(vendor), chat(vendor)]
    metered.handle.force_flush()
    assert all(answer.choices for answer in answers)
    assert len(vendor.requests) == 2
    assert len([record for record in caplog.records if record.name == "spanledger"]) == 1
    assert error_counts()[place] >= 2


def test_a_shadow_that_cannot_be_cast_leaves_the_dropped_span(
    monkeypatch: pytest.MonkeyPatch, metered: Metered, caplog: pytest.LogCaptureFixture
) -> None:
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    tracer: Any = trace.get_tracer("unsampled")
    monkeypatch.setattr(tracer._tracer if hasattr(tracer, "_tracer") else tracer, "sampler", ALWAYS_OFF)
    monkeypatch.setattr(shadow, "is_genai_work", broken)

    span = tracer.start_span("call")
    assert not span.is_recording()
    assert caplog.messages == ["spanledger: an unsampled call could not be recorded"]


@pytest.mark.parametrize("call", [chat, messages], ids=["openai", "anthropic"])
def test_calls_are_answered_while_the_exporter_is_stuck(
    call: Callable[..., Any], metered: Metered, vendor: VendorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, reached = threading.Event(), threading.Event()

    def stuck(*given: Any) -> Any:
        reached.set()
        gate.wait(20)
        return usage.usage_of(*given)

    monkeypatch.setattr(exporter, "usage_of", stuck)
    call(vendor)
    assert reached.wait(20)
    answers = [call(vendor) for _ in range(5)]

    assert not gate.is_set()
    assert len(answers) == 5
    gate.set()
    assert len({span.span_id for span in metered.collect()}) == (6 if call is chat else 12)


EXOTIC: list[Any] = [
    {"model": "\ud800"},
    {"model": "x" * 100_000},
    {"model": ""},
    {"metadata": {"k": "v" * 500}},
    {"temperature": float("nan")},
    {"stop": ["a", "b"]},
    {"seed": 2**70},
]


@pytest.mark.parametrize("options", EXOTIC, ids=lambda options: next(iter(options)))
def test_what_is_exotic_fails_or_works_as_it_does_without_us(
    options: dict[str, Any], metered: Metered, vendor: VendorServer, caplog: pytest.LogCaptureFixture
) -> None:
    outcome: Any
    try:
        outcome = chat(vendor, **options)
    except Exception as error:  # noqa: BLE001 - whatever the client makes of it, it must not be ours
        outcome = error
    chat(vendor)

    assert "spanledger" not in type(outcome).__module__
    assert any(span.attributes.get("spanledger.cost_usd") for span in metered.collect())
    assert [record.getMessage() for record in caplog.records if record.name == "spanledger" and record.exc_info] in (
        [],
        ["spanledger: one of the spans cannot be encoded"],
    )
