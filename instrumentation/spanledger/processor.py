"""The span processor: tags and joins spans as they start, and queues them for the ledger as they end."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from weakref import WeakKeyDictionary, WeakSet

from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import SpanProcessor

from spanledger.agents import Agent, agent_of, graph_step
from spanledger.attributes import AGENT_NAME, PARENT_GENAI_SPAN_ID, SDK_VERSION, SEQUENCE, VERSION
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
_NO_FACTS: Final[Mapping[str, AttributeValue]] = MappingProxyType({})


class EndedSpan:
    """A span on its way to the ledger, whether it is a call that the metrics have yet to count, and what only we say."""

    __slots__ = ("facts", "is_counted", "span")

    def __init__(
        self, span: ReadableSpan, *, is_counted: bool, facts: Mapping[str, AttributeValue] = _NO_FACTS
    ) -> None:
        self.span = span
        self.facts = facts
        self.is_counted = is_counted


class SpanQueue(Protocol):
    """Where ended spans go."""

    def put(self, item: EndedSpan) -> None: ...
    def flush(self, timeout_s: float) -> bool: ...


class _Place(NamedTuple):
    """Where a span is in the tree: the innermost GenAI span that it is or is within, and what that is."""

    genai_span_id: str
    parent_genai_span_id: str  # the one around that; empty: none
    sequence: int  # of the span itself; 0: it is no GenAI span
    is_in_call: bool  # it is a call, or within one
    is_outermost_call: bool  # of several emitters around one call, the first
    agent: Agent | None  # that it works for, where a span said so


_NO_END: Final = (_NO_FACTS, False)


class LedgerProcessor(SpanProcessor):
    """Never raises into the code that starts or ends a span."""

    def __init__(self, queue: SpanQueue, *, default_tags: Mapping[str, str], genai_spans_only: bool) -> None:
        self._queue = queue
        self._default_tags = dict(default_tags)
        self._is_stopped = False
        self._genai_spans_only = genai_spans_only
        self._process_id = process_id()
        # Entries live as long as their span.
        self._places: WeakKeyDictionary[trace.Span, _Place] = WeakKeyDictionary()
        # Spans that were open at a fork end in both processes, and are their parent's to deliver.
        self._inherited: WeakSet[trace.Span] = WeakSet()
        # Between the two hooks of an end: the second gets a copy of the span, which is in none of the above.
        self._ending: dict[int, tuple[Mapping[str, AttributeValue], bool] | None] = {}

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
        enclosing = self._places.get(trace.get_current_span(parent_context))
        if enclosing is not None:
            self._places[dropped] = enclosing

    def _mark(self, span: Span, parent_context: Context | None) -> None:
        if self._process_id != process_id():
            self._begin_in_child()
        tags = current_tags(parent_context)
        wanted = {**self._default_tags, **tags}
        enclosing = self._places.get(trace.get_current_span(parent_context))
        present = attributes_now(span)
        scope = span.instrumentation_scope.name if span.instrumentation_scope else ""
        if is_genai_work(scope, present):
            agent = agent_of(present, enclosing.agent if enclosing else None, tags)
            wanted = {**graph_step(), **wanted}
            if agent:
                wanted[AGENT_NAME] = agent.name
            is_call = is_one_call(scope, present)
            self._places[span] = self._place(span, enclosing, agent, is_call=is_call)
            note_start(span, parent_context, is_call=is_call)
        elif enclosing is not None:
            self._places[span] = enclosing._replace(sequence=0, is_outermost_call=False)
        # What the span says of itself is nearer to the truth than a tag around it: the name of its agent, its user.
        added = {key: value for key, value in wanted.items() if key not in present}
        if added:
            _set_tags(span, added)

    def _begin_in_child(self) -> None:
        self._inherited = WeakSet(self._places)
        self._process_id = process_id()

    def _place(self, span: Span, enclosing: _Place | None, agent: Agent | None, *, is_call: bool) -> _Place:
        is_in_call = enclosing is not None and enclosing.is_in_call
        return _Place(
            trace.format_span_id(span.context.span_id),
            enclosing.genai_span_id if enclosing is not None else "",
            next_sequence(),
            is_call or is_in_call,
            is_call and not is_in_call,
            agent,
        )

    def _on_ending(self, span: Span) -> None:
        try:
            if self._process_id != process_id():
                self._begin_in_child()
            place = self._places.get(span)
            if place is not None:
                end = None if span in self._inherited else (_facts(span, place), place.is_outermost_call)
                self._ending[span.context.span_id] = end
        except Exception:  # noqa: BLE001 - the caller's call comes first
            warn_once("on-ending", "spanledger: a span could not be placed", with_error=True)

    def on_end(self, span: ReadableSpan) -> None:
        try:
            self._deliver(span)
        except Exception:  # noqa: BLE001 - the caller's call comes first
            warn_once("on-end", "spanledger: a span could not be queued", with_error=True)

    def _deliver(self, span: ReadableSpan) -> None:
        if span.context is None or self._is_stopped:
            return
        end = self._ending.pop(span.context.span_id, _NO_END)
        # An unsampled span is recorded because somebody needs it: for the ledger, that is GenAI work.
        if not is_genai(span) and (self._genai_spans_only or not span.context.trace_flags.sampled):
            return
        if end is not None:
            facts, is_counted = end
            self._queue.put(EndedSpan(span, is_counted=is_counted, facts=facts))

    def shutdown(self) -> None:
        # The provider's end, not ours: its spans are sent, and the queue ends with the instrumentation.
        self.force_flush()

    def force_flush(self, timeout_millis: int = _FLUSH_MILLIS) -> bool:
        return self._queue.flush(timeout_millis / 1000)


def _set_tags(span: Span, tags: Mapping[str, str]) -> None:
    """Set attributes that need no cleaning: short strings, on a span that nobody else knows yet.

    set_attributes() checks each one, for half of what metering would cost the caller. Where the span is made in another
    way than we know, or has limits of its own, it does.
    """
    held: Any = getattr(span, "_attributes", None)
    values: Any = getattr(held, "_dict", None)
    is_known = type(held) is BoundedAttributes and type(values) is dict and held.max_value_len is None
    if is_known and (held.maxlen is None or len(values) + len(tags) <= held.maxlen):
        values.update(tags)
    else:
        span.set_attributes(tags)


def _facts(span: Span, place: _Place) -> Mapping[str, AttributeValue]:
    """Return what the ledger is told of a span and nobody else: setting it on the span would cost the caller more."""
    if not place.sequence:
        return _NO_FACTS
    facts: dict[str, AttributeValue] = {SDK_VERSION: VERSION, SEQUENCE: place.sequence, **facts_of(span)}
    if place.parent_genai_span_id:
        facts[PARENT_GENAI_SPAN_ID] = place.parent_genai_span_id
    return facts
