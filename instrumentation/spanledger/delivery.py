"""How delivery to the ledger goes: counted, told once when it fails, and quiet where the exporters would repeat it."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Delivery"]

_logger: Final = logging.getLogger("spanledger")

# These log every failed attempt. Ours are told once, below; those of the user's own exporters stay as they are.
_EXPORTER_LOGGERS: Final = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.otlp.proto.http._log_exporter",
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
)
_thread: Final = threading.local()


class _NotOurs(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - the thread decides, not the record
        delivery: Delivery | None = getattr(_thread, "delivery", None)
        if delivery is None:
            return True
        delivery.is_failing = True  # an exporter speaks of trouble only, and long before it gives up
        return False


_not_ours: Final = _NotOurs()


class Delivery:
    """State of the way to one endpoint."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.is_failing = False  # the last export failed, or the one under way meets trouble
        self._is_lossy = False
        self.dropped_items = 0
        for name in _EXPORTER_LOGGERS:
            logging.getLogger(name).addFilter(_not_ours)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Keep the exporters' log lines of this thread back while it delivers for us."""
        _thread.delivery = self
        try:
            yield
        finally:
            _thread.delivery = None

    def report(self, items: int, *, is_delivered: bool) -> None:
        """Note the end of one export."""
        if is_delivered and self._is_lossy:
            _logger.info("spanledger: delivery to %s works again (%d items were lost)", self._url, self.dropped_items)
        if not is_delivered:
            self.dropped_items += items
            warn_once(
                f"delivery-{self._url}",
                "spanledger: cannot deliver to %s; calls go on, their telemetry is lost until it is back "
                "(this is logged once; is the collector running, and SPANLEDGER_OTLP_ENDPOINT right?)",
                self._url,
            )
        self.is_failing = self._is_lossy = not is_delivered

    def give_up(self) -> None:
        """Note that the process ends; what could not be delivered until now is lost."""
        if self.is_failing:
            self.report(0, is_delivered=False)
