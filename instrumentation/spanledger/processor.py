"""The span processor: tags and joins spans as they start, and queues them for the ledger as they end."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from weakref import WeakKeyDictionary, WeakSet

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor

from spanledger.agents import Agent, agent_of, graph_step
from spanledger.attributes import AGENT_NAME, PARENT_GENAI_SPAN_ID, SDK_VERSION, SEQUENCE, VERSION
from spanledger.calls import facts_for_new_span
from spanledger.genai import is_call_start, is_genai
from spanledger.once import warn_once
from spanledger.process import process_id
from spanledger.scopes import current_tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.util.types import AttributeValue

__all__ = ["EndedSpan", "LedgerProcessor", "SpanQueue"]

_FLUSH_MILLIS: Final = 2000


class EndedSpan:
    """A span on its way to the ledger, and whether it is a call that the metrics have yet to count."""

    __slots__ = ("is_counted", "span")

    def __init__(self, span: ReadableSpan, *, is_counted: bool) -> None:
        self.span = span
        self.is_counted = is_counted


class SpanQueue(Protocol):
    """Where ended spans go."""

    def put(self, item: EndedSpan) -> None: ...
    def flush(self, timeout_s: float) -> bool: ...


class _Place(NamedTuple):
    """Where a span is in the tree: the innermost GenAI span that it is or is within, and what that is."""

    genai_span_id: str
    is_in_call: bool  # it is a call, or within one
    is_outermost_call: bool  # of several emitters around one call, the first
    agent: Agent | None  # that it works for, where a span said so


_NO_PLACE: Final = _Place("", is_in_call=False, is_outermost_call=False, agent=None)


class LedgerProcessor(SpanProcessor):
    """Never raises into the code that starts or ends a span."""

    def __init__(self, queue: SpanQueue, *, default_tags: Mapping[str, str], genai_spans_only: bool) -> None:
        self._queue = queue
        self._default_tags = dict(default_tags)
        self._genai_spans_only = genai_spans_only
        self._process_id = process_id()
        self._sequence = itertools.count(1)  # 0 is the ledger's word for unknown
        # Entries live as long as their span.
        self._places: WeakKeyDictionary[trace.Span, _Place] = WeakKeyDictionary()
        # Spans that were open at a fork end in both processes, and are their parent's to deliver.
        self._inherited: WeakSet[trace.Span] = WeakSet()
        # Between the two hooks of an end: the second gets a copy of the span, which is in none of the above.
        self._ending: dict[int, _Place | None] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
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
        present = span.attributes or {}
        tags = current_tags(parent_context)
        wanted = {**self._default_tags, **tags}
        enclosing = self._places.get(trace.get_current_span(parent_context))
        joined: dict[str, AttributeValue] = {}
        if is_genai(span):
            agent = agent_of(present, enclosing.agent if enclosing else None, tags)
            wanted = {**graph_step(), **wanted, **({AGENT_NAME: agent.name} if agent else {})}
            joined = self._join(span, enclosing, agent) | facts_for_new_span(span, parent_context)
        elif enclosing is not None:
            self._places[span] = enclosing._replace(is_outermost_call=False)
        # What the span says of itself is nearer to the truth than a tag around it: the name of its agent, its user.
        added = joined | {key: value for key, value in wanted.items() if key not in present}
        if added:
            span.set_attributes(added)

    def _begin_in_child(self) -> None:
        self._inherited = WeakSet(self._places)
        self._sequence = itertools.count(1)
        self._process_id = process_id()

    def _join(self, span: Span, enclosing: _Place | None, agent: Agent | None) -> dict[str, AttributeValue]:
        context = span.get_span_context()
        if context is None:
            return {}
        is_call, is_in_call = is_call_start(span), enclosing is not None and enclosing.is_in_call
        self._places[span] = _Place(
            trace.format_span_id(context.span_id), is_call or is_in_call, is_call and not is_in_call, agent
        )
        joined: dict[str, AttributeValue] = {SDK_VERSION: VERSION, SEQUENCE: next(self._sequence)}
        if enclosing is not None:
            joined[PARENT_GENAI_SPAN_ID] = enclosing.genai_span_id
        return joined

    def _on_ending(self, span: Span) -> None:
        try:
            if self._process_id != process_id():
                self._begin_in_child()
            place = self._places.get(span)
            if place is not None:
                self._ending[span.context.span_id] = None if span in self._inherited else place
        except Exception:  # noqa: BLE001 - the caller's call comes first
            warn_once("on-ending", "spanledger: a span could not be placed", with_error=True)

    def on_end(self, span: ReadableSpan) -> None:
        try:
            self._deliver(span)
        except Exception:  # noqa: BLE001 - the caller's call comes first
            warn_once("on-end", "spanledger: a span could not be queued", with_error=True)

    def _deliver(self, span: ReadableSpan) -> None:
        if span.context is None:
            return
        place = self._ending.pop(span.context.span_id, _NO_PLACE)
        # An unsampled span is recorded because somebody needs it: for the ledger, that is GenAI work.
        if not is_genai(span) and (self._genai_spans_only or not span.context.trace_flags.sampled):
            return
        if place is not None:
            self._queue.put(EndedSpan(span, is_counted=place.is_outermost_call))

    def shutdown(self) -> None:
        # The provider's end, not ours: its spans are sent, and the queue ends with the instrumentation.
        self.force_flush()

    def force_flush(self, timeout_millis: int = _FLUSH_MILLIS) -> bool:
        return self._queue.flush(timeout_millis / 1000)
