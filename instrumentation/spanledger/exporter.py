"""What of a batch of spans goes to the ledger: with the cost of each call, without content, as OTLP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import Status

from spanledger.attributes import COST_AMOUNT, COST_CURRENCY, COST_SOURCE, COST_USD, SERVICE_INSTANCE_ID
from spanledger.calls import call_options
from spanledger.content import ledger_attributes, ledger_events, ledger_links, ledger_name, ledger_resource
from spanledger.once import warn_once
from spanledger.process import process_id
from spanledger.usage import native_facts_by_parent, usage_of
from spanledger.wire import write_attributes, write_scope, write_span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.util.types import AttributeValue

    from spanledger.call_metrics import CallMetrics
    from spanledger.cost import PriceList
    from spanledger.processor import EndedSpan
    from spanledger.usage import NativeFacts
    from spanledger.users import Pseudonyms

__all__ = ["LedgerEncoder", "outbound_resource"]

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
        request = _Request(self._pseudonyms)
        for each in ended:
            self._write(request.add_beside(each.span), each, native)
        return request.body()

    def _write(self, message: SpanMessage, ended: EndedSpan, native: Mapping[int, NativeFacts]) -> None:
        usage = cost_usd = None
        try:
            usage = usage_of(ended.span, native, ended.facts)
            cost_usd = self._prices.cost_usd(usage) if usage else None
        except Exception:  # noqa: BLE001 - a price that cannot be computed must not cost the span
            warn_once("cost", "spanledger: the cost of a call could not be computed", with_error=True)
        if ended.is_counted:
            ended.is_counted = False  # a batch that is cut in two comes here again
            self._metrics.count(ended.span, usage, cost_usd)
        _write_copy(message, ended, cost_usd, self._pseudonyms)


class _Request:
    """A request that grows span by span."""

    def __init__(self, pseudonyms: Pseudonyms | None) -> None:
        self._pseudonyms = pseudonyms
        self._message = ExportTraceServiceRequest()
        # By identity: to compare resources takes longer than to write a span. The batch keeps them alive.
        self._resources: dict[int, Any] = {}
        self._scopes: dict[tuple[int, int], Any] = {}

    def add_beside(self, span: ReadableSpan) -> SpanMessage:
        """Return a new, empty span beside those that share resource and scope with this one."""
        key = id(span.resource), id(span.instrumentation_scope)
        if key not in self._scopes:
            self._scopes[key] = self._new_scope(span.resource, span.instrumentation_scope)
        added: SpanMessage = self._scopes[key].spans.add()
        return added

    def _new_scope(self, resource: Resource, scope: InstrumentationScope | None) -> Any:
        if id(resource) not in self._resources:
            added = self._message.resource_spans.add(schema_url=resource.schema_url)
            write_attributes(added.resource.attributes, _of_this_process(outbound_resource(resource, self._pseudonyms)))
            self._resources[id(resource)] = added
        scope_spans = self._resources[id(resource)].scope_spans.add()
        if scope is not None:
            scope_spans.schema_url = scope.schema_url or ""
            write_scope(scope_spans.scope, scope)
        return scope_spans

    def body(self) -> bytes:
        written: bytes = self._message.SerializeToString()
        return written


def outbound_resource(resource: Resource, pseudonyms: Pseudonyms | None) -> Resource:
    """Return what of a resource goes to the ledger."""
    attributes = ledger_resource(resource, with_content=call_options().exports_content)
    return Resource(pseudonyms.applied(attributes) if pseudonyms else attributes, resource.schema_url)


def _of_this_process(resource: Resource) -> dict[str, Any]:
    """Return the attributes of a resource, with a `service.instance.id` of this very process: sequence numbers are its.

    The resource's own id may be that of a pod or a machine with many processes, or of the parent before a fork.
    """
    given = resource.attributes.get(SERVICE_INSTANCE_ID)
    prefix = f"{given[:_INSTANCE_LENGTH_MAX]}/" if given and isinstance(given, str) else ""
    return {**resource.attributes, SERVICE_INSTANCE_ID: prefix + process_id()}


def _write_copy(
    message: SpanMessage, ended: EndedSpan, cost_usd: Decimal | None, pseudonyms: Pseudonyms | None
) -> None:
    span = ended.span
    with_content = call_options().exports_content
    attributes = ledger_attributes(span, with_content=with_content)
    if pseudonyms is not None:
        attributes = dict(pseudonyms.applied(attributes))
    attributes |= ended.facts
    if cost_usd is not None:
        attributes |= _cost_attributes(cost_usd)
    write_span(
        message,
        span,
        name=ledger_name(span, with_content=with_content),
        attributes=attributes,
        events=ledger_events(span, with_content=with_content),
        links=ledger_links(span, with_content=with_content),
        status=span.status if with_content else Status(span.status.status_code),
    )


def _cost_attributes(cost_usd: Decimal) -> dict[str, AttributeValue]:
    return {
        COST_USD: format(cost_usd, "f"),
        COST_AMOUNT: float(cost_usd),  # the convention's type, for display; nothing computes with it
        COST_CURRENCY: "USD",
        COST_SOURCE: "local",
    }
