"""Metrics with our tags, for whoever has a MeterProvider, and the SDK's own health."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from spanledger.call_metrics import CallMetrics
from spanledger.cost import PriceList
from spanledger.exporter import LedgerEncoder
from spanledger.once import error_counts, warn_once
from spanledger.processor import EndedSpan
from tests.instrumentation.test_exporter import finished

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import LedgerServer

    RunApp = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> InMemoryMetricReader:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    monkeypatch.setattr("opentelemetry.metrics.get_meter", provider.get_meter)
    return reader


def sums(reader: InMemoryMetricReader, name: str) -> dict[frozenset[tuple[str, Any]], Any]:
    data = reader.get_metrics_data()
    return {
        frozenset((point.attributes or {}).items()): getattr(point, "value", None)
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
    }


def count(metrics: CallMetrics, *spans: Any) -> None:
    LedgerEncoder(PriceList(), metrics)([EndedSpan(span, is_counted=True) for span in spans])


def test_calls_tokens_and_cost_are_counted_by_tag(reader: InMemoryMetricReader) -> None:
    metrics = CallMetrics()
    tags: dict[str, Any] = {"spanledger__team": "search", "user__id": "bob", "session__id": "1"}
    count(metrics, finished(**tags), finished(**tags), finished(gen_ai__response__model="acme-7b"))

    labels = {("gen_ai.provider.name", "openai"), ("gen_ai.operation.name", "chat")}
    search = frozenset({*labels, ("spanledger.team", "search")})
    known = "spanledger.cost.known"
    assert sums(reader, "spanledger.cost") == {search: pytest.approx(0.00009)}
    assert sums(reader, "gen_ai.client.inference.usage.input_tokens") == {search: 200, frozenset(labels): 100}
    # What is not priced is counted apart: the cost alone would look complete.
    assert sums(reader, "spanledger.calls") == {search | {(known, True)}: 2, frozenset(labels | {(known, False)}): 1}


def test_label_sets_are_capped_and_the_total_stays_true(
    reader: InMemoryMetricReader, caplog: pytest.LogCaptureFixture
) -> None:
    count(CallMetrics(label_sets_max=3), *(finished(spanledger__tenant=f"tenant {number}") for number in range(9)))

    by_tenant: Counter[Any] = Counter()
    for labels, value in sums(reader, "spanledger.calls").items():
        by_tenant[dict(labels)["spanledger.tenant"]] += value
    assert by_tenant == {"tenant 0": 1, "tenant 1": 1, "tenant 2": 1, "other": 6}
    assert caplog.messages == ["spanledger: metrics have 3 label sets; more are 'other'"]


def test_an_error_of_our_own_is_logged_once_and_counted_each_time(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        try:
            int("ours")
        except ValueError:
            warn_once("a-place", "something of ours failed", with_error=True)

    assert caplog.messages == ["something of ours failed"]
    assert error_counts() == {"a-place": 3}


APP = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
import spanledger
handle = spanledger.instrument()  # the MeterProvider may come later
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
import anthropic
with anthropic.Anthropic() as client:
    client.messages.create(model="claude-sonnet-5-5", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
assert handle.force_flush()
for resource in reader.get_metrics_data().resource_metrics:
    for scope in resource.scope_metrics:
        for metric in scope.metrics:
            if metric.name in ("spanledger.calls", "spanledger.self.items"):
                for point in metric.data.data_points:
                    print(metric.name, point.value, point.attributes.get("signal"), point.attributes.get("outcome"))
print(handle.stats().spans)
"""


def test_two_emitters_around_one_call_are_one_call_in_the_metrics(
    run_app: RunApp, vendor: VendorServer, ledger: LedgerServer
) -> None:
    done = run_app(APP, ANTHROPIC_BASE_URL=vendor.url, SPANLEDGER_OTLP_ENDPOINT=ledger.url)

    assert len(ledger.spans) == 2
    assert done.stdout.splitlines() == [
        "spanledger.calls 1 None None",
        "spanledger.self.items 2 spans delivered",
        "spanledger.self.items 0 outcomes delivered",
        "SignalStats(delivered_items=2, dropped_items={}, failed_attempts=0, unconfirmed_items=0)",
    ], done.stderr
