"""The span processor: tags and joins spans as they start, and queues them for the ledger as they end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import SpanProcessor

from spanledger.agents import Agent, agent_of, graph_step
from spanledger.attributes import AGENT_NAME, PARENT_GENAI_SPAN_ID, SDK_VERSION, SEQUENCE, TAG_NAMES, VERSION
from spanledger.calls import facts_of, note_start
from spanledger.genai import attributes_now, is_genai, is_genai_work, is_one_call
from spanledger.once import warn_once
from spanledger.process import next_sequence, process_id
from spanledger.scopes import current_tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.util.types import AttributeValue

__all__ = ["EndedSpan", "LedgerProcessor", "SpanQueue"]

_FLUSH_MILLIS: Final = 2000
_TAGS_MAX: Final = len(TAG_NAMES)


@dataclass(slots=True)  # frozen costs a microsecond an object
class _Place:
    """Where a span is in the tree: the innermost GenAI span that it is or is within, and what that is."""

    process: str  # where the span has started
    genai_span_id: int
    parent_genai_span_id: int  # the one around that; 0: none
    sequence: int  # of the span itself; 0: it is no GenAI span
    is_in_call: bool  # it is a call, or within one
    is_outermost_call: bool  # of several emitters around one call, the first
    agent: Agent | None  # that it works for, where a span said so


# Where a span holds its place: as long as it lives, and for less than a weak dictionary costs the caller.
_PLACE: Final = "_spanledger_place"


class EndedSpan:
    """A span on its way to the ledger, whether it is a call that the metrics have yet to count, and what only we say."""

    __slots__ = ("_place", "_told", "is_counted", "span")

    def __init__(
        self,
        span: ReadableSpan,
        *,
        is_counted: bool,
        place: _Place | None = None,
        told: Mapping[str, AttributeValue] | None = None,
    ) -> None:
        self.span = span
        self.is_counted = is_counted
        self._place = place
        self._told = told or {}

    @property
    def facts(self) -> dict[str, AttributeValue]:
        """What the ledger is told of the span and nobody else; put together by who asks, which is not the caller."""
        place = self._place
        if place is None or not place.sequence:
            return {}
        facts: dict[str, AttributeValue] = {SDK_VERSION: VERSION, SEQUENCE: place.sequence, **self._told}
        if place.parent_genai_span_id:
            facts[PARENT_GENAI_SPAN_ID] = trace.format_span_id(place.parent_genai_span_id)
        return facts


class SpanQueue(Protocol):
    """Where ended spans go."""

    def put(self, item: EndedSpan) -> None: ...
    def flush(self, timeout_s: float) -> bool: ...


class LedgerProcessor(SpanProcessor):
    """Never raises into the code that starts or ends a span."""

    def __init__(self, queue: SpanQueue, *, default_tags: Mapping[str, str], genai_spans_only: bool) -> None:
        self._queue = queue
        self._default_tags = dict(default_tags)
        self._is_stopped = False
        self._genai_spans_only = genai_spans_only
        # Between the two hooks of an end: the second gets a copy of the span, which knows no place. None: not ours.
        self._ending: dict[int, Span | None] = {}

    def add_default_tags(self, tags: Mapping[str, str]) -> None:
        self._default_tags = {**self._default_tags, **tags}

    def stop(self) -> None:
        """Leave spans as they are from now on: a provider does not let go of its processors."""
        self._is_stopped = True

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if self._is_stopped:
            return
        try:
            self._mark(span, parent_context)
        except Exception:  # noqa: BLE001 - the caller's call comes first
            warn_once("on-start", "spanledger: a span could not be tagged", with_error=True)

    def remember(self, dropped: trace.Span, parent_context: Context | None) -> None:
        """Keep the place of a span that nobody records, for the GenAI spans below it."""
        enclosing = _place_of(trace.get_current_span(parent_context))
        if enclosing is not None:
            setattr(dropped, _PLACE, enclosing)

    def _mark(self, span: Span, parent_context: Context | None) -> None:
        context = otel_context.get_current() if parent_context is None else parent_context
        tags = current_tags(context)
        wanted = {**self._default_tags, **tags}
        enclosing = _place_of(trace.get_current_span(context))
        own = _own_attributes(span)
        present = attributes_now(span) if own is None else own
        scope = span.instrumentation_scope
        scope_name = scope.name if scope else ""
        if is_genai_work(scope_name, present):
            agent = agent_of(present, enclosing.agent if enclosing else None, tags)
            wanted = {**graph_step(), **wanted}
            if agent:
                wanted[AGENT_NAME] = agent.name
            is_call = is_one_call(scope_name, present)
            setattr(span, _PLACE, _new_place(span, enclosing, agent, is_call=is_call))
            note_start(span, context, is_call=is_call)
        elif enclosing is not None:
            setattr(span, _PLACE, _place_within(enclosing))
        # What the span says of itself is nearer to the truth than a tag around it: the name of its agent, its user.
        added = {key: value for key, value in wanted.items() if key not in present}
        if own is not None:
            own.update(added)
        elif added:
            span.set_attributes(added)

    def _on_ending(self, span: Span) -> None:
        try:
            place = _place_of(span)
            if place is not None:
                # Spans that were open at a fork end in both processes, and are their parent's to deliver.
                is_inherited = place.process != process_id()
                self._ending[span.context.span_id] = None if is_inherited else span
        except Exception:  # noqa: BLE001 - the caller's call comes first
            warn_once("on-ending", "spanledger: a span could not be placed", with_error=True)

    def on_end(self, span: ReadableSpan) -> None:
        try:
            self._deliver(span)
        except Exception:  # noqa: BLE001 - the caller's call comes first
            warn_once("on-end", "spanledger: a span could not be queued", with_error=True)

    def _deliver(self, span: ReadableSpan) -> None:
        context = span.context
        if context is None:
            return
        live = self._ending.pop(context.span_id, span)
        if live is None or self._is_stopped:
            return
        place = _place_of(live)
        # An unsampled span is recorded because somebody needs it: for the ledger, that is GenAI work.
        is_work = (place is not None and place.sequence > 0) or is_genai(span)
        if is_work or (context.trace_flags.sampled and not self._genai_spans_only):
            is_counted = place is not None and place.is_outermost_call
            self._queue.put(EndedSpan(span, is_counted=is_counted, place=place, told=facts_of(live)))

    def shutdown(self) -> None:
        # The provider's end, not ours: its spans are sent, and the queue ends with the instrumentation.
        self.force_flush()

    def force_flush(self, timeout_millis: int = _FLUSH_MILLIS) -> bool:
        return self._queue.flush(timeout_millis / 1000)


def _place_of(span: object) -> _Place | None:
    return getattr(span, _PLACE, None)


def _new_place(span: Span, enclosing: _Place | None, agent: Agent | None, *, is_call: bool) -> _Place:
    is_in_call = enclosing is not None and enclosing.is_in_call
    return _Place(
        process_id(),
        span.context.span_id,
        enclosing.genai_span_id if enclosing is not None else 0,
        next_sequence(),
        is_call or is_in_call,
        is_call and not is_in_call,
        agent,
    )


def _place_within(genai: _Place) -> _Place:
    """Return the place of a span that is no GenAI work itself."""
    return replace(genai, process=process_id(), sequence=0, is_outermost_call=False)


def _own_attributes(span: Span) -> dict[str, Any] | None:
    """Return the dictionary that a span which nobody else knows yet keeps its attributes in, to read and to add tags to.

    They need no cleaning, and set_attributes() checks each one, for half of what metering would cost the caller. None
    where the span is made in another way than we know, or has limits of its own.
    """
    held: Any = getattr(span, "_attributes", None)
    values: Any = getattr(held, "_dict", None)
    is_known = type(held) is BoundedAttributes and type(values) is dict and held.max_value_len is None
    is_roomy = is_known and (held.maxlen is None or len(values) + _TAGS_MAX <= held.maxlen)
    return values if is_roomy else None
