"""Outcome events: OTLP log records to the ledger endpoint, which say how a task ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from opentelemetry import context as otel_context
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from spanledger.attributes import OUTCOME_EVENT, VERSION
from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.resources import Resource

__all__ = ["OutcomeLog", "RecordQueue", "encode_outcomes"]


class RecordQueue(Protocol):
    """Where outcome events go."""

    def put(self, item: ReadableLogRecord) -> None: ...


def encode_outcomes(batch: Sequence[ReadableLogRecord]) -> bytes:
    """Return the OTLP request of a batch."""
    body: bytes = encode_logs(batch).SerializeToString()
    return body


class OutcomeLog:
    """Turns outcomes into log records and queues them. Never raises into the caller of outcome()."""

    def __init__(self, queue: RecordQueue, resource: Resource) -> None:
        self._queue = queue
        self._resource = resource
        self._scope = InstrumentationScope("spanledger", VERSION)

    def emit(self, attributes: Mapping[str, str]) -> None:
        """Queue one event; it carries the ids of the span that is current."""
        try:
            self._queue.put(self._record(attributes))
        except Exception:  # noqa: BLE001 - the caller comes first
            warn_once("outcome", "spanledger: an outcome could not be queued", with_error=True)

    def _record(self, attributes: Mapping[str, str]) -> ReadableLogRecord:
        now = time.time_ns()
        record = LogRecord(
            timestamp=now,
            observed_timestamp=now,
            context=otel_context.get_current(),
            event_name=OUTCOME_EVENT,
            severity_number=SeverityNumber.INFO,
            attributes=dict(attributes),
        )
        record.context = Context()  # its ids are read; what else is in there may be large
        return ReadableLogRecord(record, self._resource, self._scope)
