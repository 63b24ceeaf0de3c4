"""Tells receivers what the book says they have not been told: a thread for each, so that none waits for another."""

import logging
import random
import threading
import time
from collections.abc import Sequence
from typing import Final

from spanledger_collector.alerting.book import Book
from spanledger_collector.alerting.receivers import Receiver
from spanledger_collector.alerting.rules import WATCHDOG
from spanledger_collector.alerting.sending import RefusedError, SendError, send

__all__ = ["Delivery", "deliver"]

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 1.0
_RETRY_SECONDS_MAX: Final = 300.0
_RETRY_SECONDS_MAX_REFUSED: Final = 60.0  # it is there: what fires next must not wait for what it does not take
_LIFETIMES: Final = 4
_LIFETIME_SECONDS_MIN: Final = 20.0


class Delivery:
    """Runs until closed. What repeats is repeated at the interval of the evaluations, and lives four times as long."""

    def __init__(self, book: Book, receivers: Sequence[Receiver], interval_seconds: float) -> None:
        self._book, self._interval = book, interval_seconds
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(receiver,), name="spanledger-tell", daemon=True)
            for receiver in receivers
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Finish what is being sent, then stop; what was not told waits in the book for the next start."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, receiver: Receiver) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                deliver(self._book, receiver, time.time(), self._interval)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next attempt may succeed, and must be made
                _log.error("Telling %s failed and will be tried again: %s", receiver.name, error)


def deliver(book: Book, receiver: Receiver, now: float, interval_seconds: float) -> None:
    """Tell one receiver all that is due, and write down what it acknowledged; after a failure, wait longer each time."""
    _, retry_at = book.failures(receiver.name)
    # Further ahead than any pause is long, it was written by a clock that has gone back since.
    if now < retry_at <= now + _RETRY_SECONDS_MAX:
        return
    lifetime = max(_LIFETIMES * interval_seconds, _LIFETIME_SECONDS_MIN)
    due = book.due(
        receiver.name,
        now,
        rules=receiver.rules,
        resend_seconds=interval_seconds if receiver.repeats else None,
        hold_seconds=receiver.hold_seconds if receiver.kind == "alertmanager" else 0,
    )
    # A watcher whose evaluations stand still must fall silent.
    due = [alert for alert in due if alert.rule != WATCHDOG.name or now < alert.seen_at + lifetime]
    if not due:
        return
    try:
        for told in send(receiver, due, now, lifetime):
            book.told(receiver.name, told, now)
    except SendError as error:
        failures, _ = book.failures(receiver.name)
        most = _RETRY_SECONDS_MAX_REFUSED if isinstance(error, RefusedError) else _RETRY_SECONDS_MAX
        patience = min(_RETRY_SECONDS * 2 ** min(failures, 16), most)
        failures = book.failed(receiver.name, now + patience * random.uniform(0.5, 1.0), str(error))  # noqa: S311 - only spreads load
        level = logging.WARNING if failures in {1, 10} or failures % 100 == 0 else logging.DEBUG
        _log.log(level, "%s was not told of %d alerts, attempt %d: %s", receiver.name, len(due), failures, error)
