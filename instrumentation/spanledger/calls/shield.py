"""Trace context and baggage go to hosts that the operator lists as own; a model vendor gets neither.

Four things put them on a request: the application or an emitter in the headers that it hands to the client, the client
itself, AWS's library in a Lambda, and the instrumentation of the HTTP library below. The last asks the global propagator,
which is silent for a vendor; what the others have put there is taken out of each request that is about to leave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry import propagate
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter

from spanledger.calls.record import current_call

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from opentelemetry.context import Context
    from opentelemetry.propagators.textmap import CarrierT, Getter, Setter

__all__ = ["guard_propagation", "propagate_to", "remove_trace_context"]

_HEADERS: Final = frozenset(
    {"traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-parentspanid"}
    | {"uber-trace-id", "x-amzn-trace-id", "x-cloud-trace-context", "x-datadog-trace-id", "x-datadog-parent-id"}
)


_RAW_HEADERS: Final = frozenset(name.encode() for name in _HEADERS)


class _VendorShield(TextMapPropagator):
    """The application's propagator, silent while a request to a vendor is being made."""

    def __init__(self, inner: TextMapPropagator) -> None:
        self.inner = inner

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        call = current_call(context) or current_call()
        if call is None or not call.is_shielded:
            self.inner.inject(carrier, context=context, setter=setter)

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        return self.inner.extract(carrier, context=context, getter=getter)

    @property
    def fields(self) -> set[str]:
        return self.inner.fields


def guard_propagation() -> None:
    """Put the shield around the global propagator, whichever it is by now; does nothing when it is there."""
    current = propagate.get_global_textmap()
    if not isinstance(current, _VendorShield):
        propagate.set_global_textmap(_VendorShield(current))


def remove_trace_context(headers: MutableMapping[str, Any]) -> None:
    """Take out of a request to a vendor what an emitter, the client or the application has put there."""
    raw = getattr(headers, "raw", None)  # httpx has bytes, and decodes them all for whoever asks for names
    if type(raw) is list and _RAW_HEADERS.isdisjoint([name.lower() for name, _ in raw]):
        return
    for name in [name for name in headers if name.lower() in _HEADERS]:
        del headers[name]


def propagate_to(headers: MutableMapping[str, Any]) -> None:
    """Put trace context on a request to an own host, unless it has it already."""
    if "traceparent" not in headers:
        propagate.inject(headers)
