"""The span processor: tags and joins spans as they start, and queues them for the ledger as they end."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from opentelemetry import trace
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from spanledger.attributes import (
    NATIVE_ANTHROPIC_SCOPE,
    PARENT_GENAI_SPAN_ID,
    SDK_VERSION,
    SEQUENCE,
    VERSION,
)
from spanledger.once import warn_once
from spanledger.tags import current_tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.util.types import AttributeValue

    from spanledger.exporter import LedgerExporter

__all__ = ["BATCH_OPTIONS", "LedgerProcessor", "flush_patience_millis", "is_genai"]

# Sized for 1,000 calls/s against a collector that takes a second to answer: the defaults lose a third of them.
BATCH_OPTIONS: Final = {"max_export_batch_size": 2048, "max_queue_size": 16384, "schedule_delay_millis": 1000}
_BATCH_VARIABLES: Final = {
    "max_export_batch_size": "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "max_queue_size": "OTEL_BSP_MAX_QUEUE_SIZE",
    "schedule_delay_millis": "OTEL_BSP_SCHEDULE_DELAY",
}

# One of these marks a span of GenAI work, whoever emitted it. Not the agent's name: as a tag it is on every span.
_GENAI_MARKERS: Final = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.system",
    "openinference.span.kind",
    "traceloop.span.kind",
    "llm.request.type",
)


def is_genai(span: ReadableSpan) -> bool:
    """Whether the span, as far as it is known yet, is GenAI work: a call, an agent, a tool, a workflow."""
    attributes = span.attributes or {}
    if any(marker in attributes for marker in _GENAI_MARKERS):
        return True
    scope = span.instrumentation_scope
    return scope is not None and scope.name == NATIVE_ANTHROPIC_SCOPE


def flush_patience_millis(*, is_failing: bool) -> int:
    """How long the end of the process may wait for delivery: the SDK's own answer is 30 seconds, with no one there."""
    return 500 if is_failing else 5000


class LedgerProcessor(BatchSpanProcessor):
    """Never raises into the code that starts or ends a span."""

    def __init__(
        self, exporter: LedgerExporter, *, default_tags: Mapping[str, str], genai_spans_only: bool, **batch: Any
    ) -> None:
        super().__init__(exporter, **_batch_options(), **batch)
        self._ledger_exporter = exporter
        self._default_tags = dict(default_tags)
        self._genai_spans_only = genai_spans_only
        self._sequence = itertools.count()
        # Span -> id of the innermost GenAI span that it is, or is within. Entries live as long as their span.
        self._innermost: WeakKeyDictionary[trace.Span, str] = WeakKeyDictionary()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        try:
            self._mark(span, parent_context)
        except Exception:  # noqa: BLE001 - the caller's call comes first
            warn_once("on-start", "spanledger: a span could not be tagged", with_error=True)

    def _mark(self, span: Span, parent_context: Context | None) -> None:
        present = span.attributes or {}
        wanted = {**self._default_tags, **current_tags(parent_context)}
        # What the span says of itself is nearer to the truth than a tag around it: the name of its agent, its user.
        added: dict[str, AttributeValue] = {key: value for key, value in wanted.items() if key not in present}
        enclosing = self._innermost.get(trace.get_current_span(parent_context))
        if is_genai(span):
            added |= self._join(span, enclosing)
        elif enclosing is not None:
            self._innermost[span] = enclosing
        if added:
            span.set_attributes(added)

    def _join(self, span: Span, enclosing: str | None) -> dict[str, AttributeValue]:
        context = span.get_span_context()
        if context is None:
            return {}
        self._innermost[span] = trace.format_span_id(context.span_id)
        joined: dict[str, AttributeValue] = {SDK_VERSION: VERSION}
        if enclosing is not None:
            joined[PARENT_GENAI_SPAN_ID] = enclosing
        if context.trace_flags.sampled:  # only what is exported may count: a gap means a lost span
            joined[SEQUENCE] = next(self._sequence)
        return joined

    def on_end(self, span: ReadableSpan) -> None:
        try:
            if not self._genai_spans_only or is_genai(span):
                super().on_end(span)
        except Exception:  # noqa: BLE001 - the caller's call comes first
            warn_once("on-end", "spanledger: a span could not be queued", with_error=True)

    def shutdown(self) -> None:
        patience = flush_patience_millis(is_failing=self._ledger_exporter.delivery.is_failing)
        self._batch_processor.shutdown(timeout_millis=patience)
        self._ledger_exporter.delivery.give_up()


def _batch_options() -> dict[str, Any]:
    """Return our sizes, except where the environment states its own: the base class reads those itself."""
    return {key: value for key, value in BATCH_OPTIONS.items() if not os.environ.get(_BATCH_VARIABLES[key])}
