"""What of a batch of spans goes to the ledger: with the cost of each call, without content, as OTLP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Status

from spanledger.attributes import COST_AMOUNT, COST_CURRENCY, COST_SOURCE, COST_USD, SERVICE_INSTANCE_ID
from spanledger.calls import call_options
from spanledger.content import ledger_attributes, ledger_events, ledger_links, ledger_name
from spanledger.once import warn_once
from spanledger.process import process_id
from spanledger.usage import native_facts_by_parent, usage_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.util.types import AttributeValue

    from spanledger.call_metrics import CallMetrics
    from spanledger.cost import PriceList
    from spanledger.processor import EndedSpan
    from spanledger.usage import NativeFacts
    from spanledger.users import Pseudonyms

__all__ = ["LedgerEncoder"]

# The column that reads it holds 128 characters, and the end is what tells processes apart.
_INSTANCE_LENGTH_MAX: Final = 100


class LedgerEncoder:
    """Prices, cleans, counts and encodes batches; used by one thread."""

    def __init__(self, prices: PriceList, metrics: CallMetrics, pseudonyms: Pseudonyms | None = None) -> None:
        self._pseudonyms = pseudonyms
        self._prices = prices
        self._metrics = metrics

    def __call__(self, ended: Sequence[EndedSpan]) -> bytes:
        """Return the OTLP request of a batch."""
        native = native_facts_by_parent([each.span for each in ended])
        request = encode_spans([self._ledger_span(each, native) for each in ended])
        _name_process(request)
        body: bytes = request.SerializeToString()
        return body

    def _ledger_span(self, ended: EndedSpan, native: Mapping[int, NativeFacts]) -> ReadableSpan:
        usage = cost_usd = None
        try:
            usage = usage_of(ended.span, native)
            cost_usd = self._prices.cost_usd(usage) if usage else None
        except Exception:  # noqa: BLE001 - a price that cannot be computed must not cost the span
            warn_once("cost", "spanledger: the cost of a call could not be computed", with_error=True)
        if ended.is_counted:
            ended.is_counted = False  # a batch that is cut in two comes here again
            self._metrics.count(ended.span, usage, cost_usd)
        return _ledger_copy(ended, cost_usd, self._pseudonyms)


def _name_process(request: ExportTraceServiceRequest) -> None:
    """Let `service.instance.id` name this very process: sequence numbers are per process.

    The resource's own id may be that of a pod or a machine with many processes, or of the parent before a fork.
    """
    for resource_spans in request.resource_spans:
        attributes = resource_spans.resource.attributes
        given = next((pair for pair in attributes if pair.key == SERVICE_INSTANCE_ID), None)
        pair = given if given is not None else attributes.add(key=SERVICE_INSTANCE_ID)
        prefix = f"{pair.value.string_value[:_INSTANCE_LENGTH_MAX]}/" if pair.value.string_value else ""
        pair.value.string_value = prefix + process_id()


def _ledger_copy(ended: EndedSpan, cost_usd: Decimal | None, pseudonyms: Pseudonyms | None) -> ReadableSpan:
    span = ended.span
    with_content = call_options().exports_content
    attributes = ledger_attributes(span, with_content=with_content)
    if pseudonyms is not None:
        attributes = dict(pseudonyms.applied(attributes))
    attributes |= ended.facts
    if cost_usd is not None:
        attributes |= _cost_attributes(cost_usd)
    return ReadableSpan(
        name=ledger_name(span, with_content=with_content),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        events=ledger_events(span, with_content=with_content),
        links=ledger_links(span, with_content=with_content),
        kind=span.kind,
        status=span.status if with_content else Status(span.status.status_code),
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
