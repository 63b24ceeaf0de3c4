"""Metrics of calls with our tags, for a MeterProvider of the application: who spends how much, without a query.

Without a MeterProvider the instruments do nothing. Users, sessions and tasks are never labels, and the number of label sets
is capped: a metrics back end keeps each one for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from opentelemetry import metrics

from spanledger.attributes import TAG_ATTRIBUTES, VERSION
from spanledger.genai import attributes_now
from spanledger.once import error_counts, warn_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from opentelemetry.metrics import CallbackOptions, Counter
    from opentelemetry.sdk.trace import ReadableSpan

    from spanledger.health import Health
    from spanledger.usage import CallUsage

__all__ = ["LABELS", "LABEL_SETS_MAX", "CallMetrics", "Watched", "observe_health"]

LABELS: Final = (
    *(TAG_ATTRIBUTES[tag] for tag in ("tenant", "team", "feature")),
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.operation.name",
    "error.type",
)
LABEL_SETS_MAX: Final = 1000
_OTHER: Final[Mapping[str, str]] = dict.fromkeys(LABELS, "other")

# Counters of the GenAI conventions; calls and cost have no standard name.
_TOKENS: Final = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read.input_tokens",
    "cache_write_tokens": "cache_write.input_tokens",
    "reasoning_tokens": "reasoning.output_tokens",
}


class CallMetrics:
    """Counts calls, tokens and cost; used by one thread."""

    def __init__(self, label_sets_max: int = LABEL_SETS_MAX) -> None:
        self._label_sets_max = label_sets_max
        self._label_sets: dict[tuple[str, ...], Mapping[str, str]] = {}
        meter = metrics.get_meter("spanledger", VERSION)
        self._calls = meter.create_counter(
            "spanledger.calls", "{call}", "Calls of models; spanledger.cost.known says whether the cost counts them"
        )
        self._cost = meter.create_counter("spanledger.cost", "{USD}", "Cost of the calls whose price is known")
        self._tokens: dict[str, Counter] = {
            field: meter.create_counter(f"gen_ai.client.inference.usage.{name}", "{token}", "Tokens of calls")
            for field, name in _TOKENS.items()
        }

    def count(self, span: ReadableSpan, usage: CallUsage | None, cost_usd: Decimal | None) -> None:
        """Count a finished call. Never raises."""
        try:
            self._count(self._labels(span), usage, cost_usd)
        except Exception:  # noqa: BLE001 - a label that cannot be read must not cost the span
            warn_once("metrics", "spanledger: a call could not be counted in the metrics", with_error=True)

    def _count(self, labels: Mapping[str, str], usage: CallUsage | None, cost_usd: Decimal | None) -> None:
        self._calls.add(1, {**labels, "spanledger.cost.known": cost_usd is not None})
        if cost_usd:
            self._cost.add(float(cost_usd), labels)  # metrics know no exact number; the ledger does
        if usage is not None:
            for field, counter in self._tokens.items():
                if tokens := getattr(usage, field):
                    counter.add(tokens, labels)

    def _labels(self, span: ReadableSpan) -> Mapping[str, str]:
        attributes = attributes_now(span)
        key = tuple(str(attributes.get(name, "")) for name in LABELS)
        known = self._label_sets.get(key)
        if known is None:
            if len(self._label_sets) >= self._label_sets_max:
                warn_once(
                    "label-sets", "spanledger: metrics have %d label sets; more are 'other'", self._label_sets_max
                )
                return _OTHER
            known = self._label_sets[key] = {name: value for name, value in zip(LABELS, key, strict=True) if value}
        return known


class Watched(Protocol):
    """A queue whose health is shown."""

    @property
    def health(self) -> Health: ...
    @property
    def queued_items(self) -> int: ...


def observe_health(queues: Sequence[Watched]) -> None:
    """Show the SDK's own health as metrics, read when the application's MeterProvider collects."""
    meter = metrics.get_meter("spanledger.self", VERSION)

    def items(_: CallbackOptions) -> Iterable[metrics.Observation]:
        for health in (queue.health for queue in queues):
            stats = health.stats()
            yield metrics.Observation(stats.delivered_items, {"signal": health.signal, "outcome": "delivered"})
            if stats.unconfirmed_items:  # only after the end
                yield metrics.Observation(stats.unconfirmed_items, {"signal": health.signal, "outcome": "unconfirmed"})
            for reason, count in stats.dropped_items.items():
                yield metrics.Observation(count, {"signal": health.signal, "outcome": reason})

    def failures(_: CallbackOptions) -> Iterable[metrics.Observation]:
        for health in (queue.health for queue in queues):
            yield metrics.Observation(health.stats().failed_attempts, {"signal": health.signal})

    def errors(_: CallbackOptions) -> Iterable[metrics.Observation]:
        return [metrics.Observation(count, {"place": place}) for place, count in error_counts().items()]

    def waiting(_: CallbackOptions) -> Iterable[metrics.Observation]:
        return [metrics.Observation(queue.queued_items, {"signal": queue.health.signal}) for queue in queues]

    counter = meter.create_observable_counter
    counter("spanledger.self.items", [items], "{item}", "Spans and outcomes by what became of them")
    counter("spanledger.self.failed_exports", [failures], "{attempt}", "Attempts to export that failed")
    counter("spanledger.self.errors", [errors], "{error}", "Errors in spanledger's own code, by place")
    meter.create_observable_up_down_counter("spanledger.self.queued", [waiting], "{item}", "Items that wait to be sent")
