"""Trace context and baggage go to hosts that the operator lists as own; a model vendor gets neither.

Three things put them on a request: an emitter in the headers that it hands to the client, the client itself, and the
instrumentation of the HTTP library below it. The first is taken out, the other two ask the global propagator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry import propagate
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter

from spanledger.calls.record import current_call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.propagators.textmap import CarrierT, Getter, Setter

__all__ = ["guard_propagation", "propagate_to", "without_trace_context"]

_HEADERS: Final = frozenset(
    {"traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-parentspanid"}
    | {"uber-trace-id", "x-amzn-trace-id", "x-cloud-trace-context", "x-datadog-trace-id", "x-datadog-parent-id"}
)


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


def without_trace_context(headers: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the headers without those that carry trace context; None when there are none of them."""
    if not any(name.lower() in _HEADERS for name in headers):
        return None
    return {name: value for name, value in headers.items() if name.lower() not in _HEADERS}


def propagate_to(headers: Any) -> None:
    """Put trace context on a request to an own host, unless it has it already."""
    if "traceparent" not in headers:
        propagate.inject(headers)
