"""Outcome events: OTLP log records to the ledger endpoint, on a logger provider of our own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult

from spanledger.attributes import OUTCOME_EVENT, VERSION
from spanledger.processor import flush_patience_millis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.resources import Resource

    from spanledger.delivery import Delivery

__all__ = ["OutcomeLog"]


class OutcomeLog:
    """Queues outcome events and delivers them as spans are delivered: in the background, told once when it fails."""

    def __init__(self, exporter: LogRecordExporter, delivery: Delivery, resource: Resource) -> None:
        self._processor = _OutcomeProcessor(_OutcomeExporter(exporter, delivery), delivery)
        self._provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_log_record_processor(self._processor)
        self._logger = self._provider.get_logger("spanledger", VERSION)

    def emit(self, attributes: Mapping[str, str]) -> None:
        """Queue one event; it carries the ids of the span that is current."""
        self._logger.emit(
            LogRecord(
                timestamp=time.time_ns(),
                event_name=OUTCOME_EVENT,
                severity_number=SeverityNumber.INFO,
                attributes=dict(attributes),
            )
        )

    def force_flush(self, timeout_millis: int) -> bool:
        return self._processor.force_flush(timeout_millis)

    def shutdown(self) -> None:
        self._provider.shutdown()


class _OutcomeProcessor(BatchLogRecordProcessor):
    def __init__(self, exporter: LogRecordExporter, delivery: Delivery) -> None:
        super().__init__(exporter, schedule_delay_millis=1000)
        self._delivery = delivery

    def shutdown(self) -> None:
        self._batch_processor.shutdown(timeout_millis=flush_patience_millis(is_failing=self._delivery.is_failing))
        self._delivery.give_up()


class _OutcomeExporter(LogRecordExporter):
    def __init__(self, inner: LogRecordExporter, delivery: Delivery) -> None:
        self._inner = inner
        self._delivery = delivery

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        with self._delivery.quiet():
            result = self._inner.export(batch)
        self._delivery.report(len(batch), is_delivered=result is LogRecordExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        with self._delivery.quiet():
            self._inner.shutdown()  # type: ignore[no-untyped-call] # the SDK leaves it untyped

    def force_flush(self, timeout_millis: int = 10_000) -> bool:
        return self._inner.force_flush(timeout_millis)
