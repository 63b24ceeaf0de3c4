"""Puts spans of any age into the landing table, as a collector did that filled it long ago; the door takes recent ones only."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tests.ledger import Ledger
from tests.otlp import SpanSpec

__all__ = ["land"]

_COLUMNS = (
    "Timestamp", "TraceId", "SpanId", "ParentSpanId", "SpanName", "ServiceName", "ScopeName", "ScopeVersion", "SpanKind", "Duration",
    "StatusCode", "SpanAttributes",
)  # fmt: skip


def land(ledger: Ledger, spans: Iterable[SpanSpec]) -> None:
    """Insert spans into otel_traces, whatever their age."""
    rows = [
        [
            datetime.fromtimestamp(span.start, UTC), span.trace_id, span.span_id, f"{span.parent:016x}" if span.parent else "", span.name,
            span.service, span.scope, span.version, "Client", int((span.end - span.start) * 1e9), "Error" if span.error else "Unset",
            {name: _text(value) for name, value in span.attributes.items()},
        ]
        for span in spans
    ]  # fmt: skip
    ledger.client.insert("otel_traces", rows, column_names=_COLUMNS)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
