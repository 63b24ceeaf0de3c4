"""What is known of one outgoing call, and which spans it is said on.

The facts lie beside the spans, not on them: only the copy for the ledger says them.

The span of a call may be current when its request leaves (the official instrumentations, OpenInference), started and
not current (OpenLLMetry's anthropic), start only inside the request (the anthropic client's own), or start once it is
answered, dated back (OpenLLMetry's responses). So the record of the call lies in the context while the request runs:
what exists is told of at once, what starts inside or is dated back when the span processor sees it.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import Span

from spanledger.attributes import ATTEMPTS, CACHE_WRITE_TTLS
from spanledger.calls.fingerprints import fingerprints
from spanledger.calls.options import call_options
from spanledger.calls.parts import Prompt
from spanledger.calls.retrieved import retrieved_chunks
from spanledger.genai import is_call_start
from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

    from spanledger.calls.request import Outgoing

__all__ = ["CallRecord", "current_call", "facts_of", "note_start", "within"]

_KEY: Final = otel_context.create_key("spanledger.call")

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
# Where a span holds what requests have told of it. On the span itself: a weak dictionary costs the caller more.
_FACTS: Final = "_spanledger_facts"

# The last span of a call that started in this context: it may be the one of the next request without being current.
_latest: ContextVar[ref[Span] | None] = ContextVar("spanledger.latest_call_span", default=None)

# Facts of a request that has left without a span, and when it left: a span that is dated before is about it.
_untold: ContextVar[tuple[int, dict[str, Any]] | None] = ContextVar("spanledger.untold_call", default=None)


class CallRecord:
    """One logical call, from before it leaves until its last attempt has."""

    __slots__ = ("_attempts", "_began_ns", "_body", "_facts", "_prompt", "_sizes", "_told", "is_shielded", "outgoing")

    def __init__(self, outgoing: Outgoing, *, is_shielded: bool) -> None:
        self.outgoing = outgoing
        self.is_shielded = is_shielded
        self._body = outgoing.body
        self._began_ns = time.time_ns()
        self._attempts = 0
        self._told: list[dict[str, Any]] = []
        self._prompt: Prompt | None = None
        self._sizes: dict[str, int] | None = None
        self._facts: dict[str, Any] | None = None

    @property
    def sizes(self) -> dict[str, int]:
        """Characters of each part of the prompt."""
        if self._sizes is None:
            self._sizes = self._read().sizes(retrieved_chunks())
        return self._sizes

    @property
    def facts(self) -> dict[str, Any]:
        """What is said of the prompt; computed when the first span asks."""
        if self._facts is None:
            self._facts = {}  # what fails once is not tried again for the next span
            try:
                prompt = self._read()
                self._facts = {**self.sizes, **fingerprints(prompt, call_options().fingerprint_key)}
                if prompt.cache_ttls:
                    self._facts[CACHE_WRITE_TTLS] = prompt.cache_ttls
            except Exception:  # noqa: BLE001 - the caller's call comes first
                warn_once("prompt", "spanledger: a prompt could not be measured", with_error=True)
        return self._facts

    def _read(self) -> Prompt:
        if self._prompt is None:
            read = self.outgoing.read
            self._prompt = read(self._body) if read and self._body else Prompt()
        return self._prompt

    def describe_open_span(self) -> None:
        """Tell the facts of the span of this call, if it has started."""
        if not self.outgoing.operation:
            return
        span = _open_call_span()
        if span is not None:
            self.tell_of(span)

    def tell_of(self, span: Span) -> None:
        """Tell the facts of a span, and the attempts from now on."""
        told: dict[str, Any] | None = getattr(span, _FACTS, None)
        if told is None:
            told = {}
            setattr(span, _FACTS, told)
        told.update(self.facts)
        self._told.append(told)

    def count_attempt(self) -> None:
        """Note that the client sends the request now, perhaps not for the first time."""
        self._attempts += 1
        for told in self._told:
            told[ATTEMPTS] = told.get(ATTEMPTS, 0) + 1

    def release(self) -> None:
        """Let go of the prompt: nothing of it is kept once the request has been answered or has failed."""
        if self.outgoing.operation:
            told = None if self._told else (self._began_ns, {**self.facts, ATTEMPTS: self._attempts})
            _untold.set(told)
        self._body = self._prompt = None
        self._told = []


def within(call: CallRecord) -> Context:
    """Return the current context with this call in it."""
    return otel_context.set_value(_KEY, call)


def current_call(context: Context | None = None) -> CallRecord | None:
    """Return the call whose request is being made in a context."""
    return otel_context.get_value(_KEY, context)  # type: ignore[return-value] # the key is ours


def facts_of(span: object) -> Mapping[str, Any]:
    """Return what requests have told of a span so far."""
    facts: Mapping[str, Any] = getattr(span, _FACTS, _NOTHING)
    return facts


def note_start(span: Span, parent_context: Context | None, *, is_call: bool) -> None:
    """Note that a GenAI span starts: it may be of the request that it starts in, or of the next one."""
    call = current_call(parent_context)
    if call is not None and call.outgoing.operation:
        call.tell_of(span)
        return
    untold = _untold.get()
    if untold is not None and span.start_time is not None and span.start_time <= untold[0]:
        _untold.set(None)
        setattr(span, _FACTS, untold[1])
    elif is_call:
        _latest.set(ref(span))


def _open_call_span() -> Span | None:
    current, latest = trace.get_current_span(), _latest.get()
    span = latest() if latest is not None else None
    if span is not None and span is current and span.is_recording():
        return span
    if isinstance(current, Span) and current.is_recording() and is_call_start(current):
        return current
    if span is None or not span.is_recording() or not _shares_trace(span, current):
        return None
    # Its own request has left before: this is another one, of an emitter that we do not know.
    return None if ATTEMPTS in facts_of(span) else span


def _shares_trace(span: Span, current: trace.Span) -> bool:
    mine, around = span.get_span_context(), current.get_span_context()
    return not around.is_valid or (mine is not None and mine.trace_id == around.trace_id)
