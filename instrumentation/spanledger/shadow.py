"""Calls that the application's sampler drops are recorded for the ledger, and for nobody else.

A sampled share of the traces is fine for debugging; a bill needs every call. Where the sampler drops a GenAI span, the
emitter gets a shadow in its place: a recording span with the same ids and the same unset flag, whose only processor is
ours. The application's sampler, processors and exporters see exactly what they saw before, and so do its children.
"""

from __future__ import annotations

import threading
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

from spanledger.genai import is_genai_work
from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind
    from opentelemetry.trace.span import TraceState
    from opentelemetry.util.types import Attributes

    from spanledger.processor import LedgerProcessor

__all__ = ["Shadows", "cast_shadows"]

_thread: Final = threading.local()
_shadows: Final[list[Shadows]] = []  # those of the running instrumentation: one, or none


class _SameIds(IdGenerator):
    def generate_trace_id(self) -> int:
        return int(_thread.dropped.trace_id)

    def generate_span_id(self) -> int:
        return int(_thread.dropped.span_id)


class _RecordOnly(Sampler):
    def should_sample(
        self,
        parent_context: Context | None,  # noqa: ARG002 - asked about everything, it says one thing
        trace_id: int,  # noqa: ARG002
        name: str,  # noqa: ARG002
        kind: SpanKind | None = None,  # noqa: ARG002
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,  # noqa: ARG002
        trace_state: TraceState | None = None,  # noqa: ARG002
    ) -> SamplingResult:
        return SamplingResult(Decision.RECORD_ONLY, attributes, _thread.dropped.trace_state)

    def get_description(self) -> str:
        return "spanledger"


class Shadows:
    """Makes the shadows of one provider's dropped spans."""

    def __init__(self, provider: TracerProvider, processor: LedgerProcessor) -> None:
        # A tracer knows its provider only by the processor that all its tracers share.
        self._pipeline = getattr(provider.get_tracer("spanledger"), "span_processor", None)
        self._processor = processor
        self._provider = TracerProvider(
            sampler=_RecordOnly(), resource=provider.resource, id_generator=_SameIds(), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)

    def casts_for(self, tracer: Tracer) -> bool:
        return tracer.span_processor is self._pipeline

    def stand_in(
        self, tracer: Tracer, dropped: trace.Span, name: str, context: Context | None, given: Any
    ) -> trace.Span:
        """Return the shadow of a dropped GenAI span; any other dropped span itself, remembered for the tree."""
        ids = dropped.get_span_context()
        parent = trace.get_current_span(context).get_span_context()
        if not ids.is_valid or ids.span_id == parent.span_id:
            return dropped  # its tracer is switched off: nobody was asked to sample
        scope = tracer._instrumentation_scope  # noqa: SLF001 - a tracer does not say otherwise whose it is
        if not is_genai_work(scope.name, given.get("attributes") or {}):
            self._processor.remember(dropped, context)
            return dropped
        _thread.dropped = ids
        shadow = self._provider.get_tracer(scope.name, scope.version or "", scope.schema_url)
        return shadow.start_span(name, context, **given)

    def stop(self) -> None:
        if self in _shadows:
            _shadows.remove(self)


def cast_shadows(provider: TracerProvider, processor: LedgerProcessor) -> Shadows:
    """Record the GenAI spans that this provider's sampler drops, from now on, for this processor alone."""
    shadows = Shadows(provider, processor)
    _shadows.append(shadows)
    if not hasattr(Tracer.start_span, _IS_OURS):
        Tracer.start_span = _casting(Tracer.start_span)  # type: ignore[method-assign] # a sampler cannot do it
    return shadows


_IS_OURS: Final = "_casts_shadows"


def _casting(start_span: Callable[..., trace.Span]) -> Callable[..., trace.Span]:
    @wraps(start_span)  # a plain function, for each span passes here
    def casting(tracer: Tracer, /, *args: Any, **kwargs: Any) -> trace.Span:
        span = start_span(tracer, *args, **kwargs)
        return span if span.is_recording() or not _shadows else _shadow_of(span, tracer, args, kwargs)

    setattr(casting, _IS_OURS, True)
    return casting


def _shadow_of(span: trace.Span, tracer: Tracer, args: Any, kwargs: Any) -> trace.Span:
    try:
        return next((_stand_in(each, tracer, span, args, kwargs) for each in _shadows if each.casts_for(tracer)), span)
    except Exception:  # noqa: BLE001 - the caller's call comes first
        warn_once("shadow", "spanledger: an unsampled call could not be recorded", with_error=True)
        return span


_PARAMETERS: Final = (
    "name", "context", "kind", "attributes", "links", "start_time", "record_exception", "set_status_on_exception",
)  # fmt: skip


def _stand_in(shadows: Shadows, tracer: Tracer, dropped: trace.Span, args: Any, kwargs: Any) -> trace.Span:
    given = {**dict(zip(_PARAMETERS, args, strict=False)), **kwargs}
    return shadows.stand_in(tracer, dropped, given.pop("name"), given.pop("context", None), given)
