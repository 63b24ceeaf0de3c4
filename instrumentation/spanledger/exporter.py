"""The last step before the wire, in the batch thread: adds the cost of each call and takes error texts away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from spanledger.attributes import COST_AMOUNT, COST_CURRENCY, COST_SOURCE, COST_USD
from spanledger.once import warn_once
from spanledger.usage import native_facts_by_parent, usage_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from opentelemetry.util.types import AttributeValue

    from spanledger.cost import PriceList
    from spanledger.delivery import Delivery
    from spanledger.usage import NativeFacts

__all__ = ["LedgerExporter"]

# A vendor's error repeats parts of the prompt; the type of the error says what a ledger needs.
_ERROR_TEXTS: Final = frozenset({"exception.message", "exception.stacktrace"})


class LedgerExporter(SpanExporter):
    """Prices and cleans a batch, hands it to the OTLP exporter and keeps count of what arrives."""

    def __init__(self, inner: SpanExporter, prices: PriceList, delivery: Delivery) -> None:
        self._inner = inner
        self._prices = prices
        self.delivery = delivery

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        native = native_facts_by_parent(spans)
        batch = [self._ledger_span(span, native) for span in spans]
        with self.delivery.quiet():
            result = self._inner.export(batch)
        self.delivery.report(len(batch), is_delivered=result is SpanExportResult.SUCCESS)
        return result

    def _ledger_span(self, span: ReadableSpan, native: Mapping[int, NativeFacts]) -> ReadableSpan:
        try:
            usage = usage_of(span, native)
            cost_usd = self._prices.cost_usd(usage) if usage else None
        except Exception:  # noqa: BLE001 - a price that cannot be computed must not cost the span
            warn_once("cost", "spanledger: the cost of a call could not be computed", with_error=True)
            cost_usd = None
        return _ledger_copy(span, cost_usd)

    def shutdown(self) -> None:
        with self.delivery.quiet():
            self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def _ledger_copy(span: ReadableSpan, cost_usd: Decimal | None) -> ReadableSpan:
    if cost_usd is None and not span.events and span.status.description is None:
        return span
    attributes = dict(span.attributes or {})
    if cost_usd is not None:
        attributes |= _cost_attributes(cost_usd)
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        events=[_without_error_text(event) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _cost_attributes(cost_usd: Decimal) -> dict[str, AttributeValue]:
    return {
        COST_USD: format(cost_usd, "f"),
        COST_AMOUNT: float(cost_usd),  # the convention's type, for display; nothing computes with it
        COST_CURRENCY: "USD",
        COST_SOURCE: "local",
    }


def _without_error_text(event: Event) -> Event:
    attributes = event.attributes or {}
    if _ERROR_TEXTS.isdisjoint(attributes):
        return event
    kept = {key: value for key, value in attributes.items() if key not in _ERROR_TEXTS}
    return Event(event.name, kept, event.timestamp)
