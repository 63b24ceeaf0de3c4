"""Group commit: one thread writes what all connections bring, and answers each request after its data is a written part."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import groupby
from typing import Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from spanledger_collector.exceptions import InputError, SpanledgerError
from spanledger_collector.receiver.door import Door, OtlpRequest, check, is_bad_input, is_outage
from spanledger_collector.refusals import refusal

__all__ = ["Committer", "OverloadedError"]

_log = logging.getLogger(__name__)

_BATCH_BYTES: Final = 10_000_000  # about 10,000 spans
_WAITING_BYTES: Final = 128_000_000
_MIN_SECONDS_APART: Final = 0.2


class OverloadedError(SpanledgerError):
    """The request cannot be taken now; the sender should try again later."""


class Committer:
    """Writes requests in groups: at once when idle; while an insert runs, what arrives is collected for the next."""

    def __init__(self, connect: Callable[[], Door], on_commit: Callable[[], None]) -> None:
        self._connect = connect
        self._on_commit = on_commit
        self._waiting: queue.Queue[tuple[OtlpRequest, Future[None]] | None] = queue.Queue()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="spanledger-commit", daemon=True)
        self._thread.start()

    def submit(self, request: OtlpRequest) -> Future[None]:
        """Take a request; the future is done when it is stored.

        Raises InputError when its frame is broken, OverloadedError when too much is waiting or the server is stopping. The future raises
        InputError when the database cannot read it and OverloadedError when the database cannot write.
        """
        check(request)
        future: Future[None] = Future()
        with self._lock:
            if self._closed:
                raise OverloadedError("The collector is shutting down; send again later.")
            if self._waiting_bytes > _WAITING_BYTES:
                raise OverloadedError("Too much data waits to be written; send again later.")
            self._waiting_bytes += len(request.body)
            self._waiting.put((request, future))
        return future

    def close(self) -> None:
        """Write what was taken, then stop."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        door = self._connect()
        last = 0.0
        while batch := self._next_batch():
            time.sleep(max(0.0, last + _MIN_SECONDS_APART - time.monotonic()))
            batch += self._arrived(_BATCH_BYTES - sum(len(request.body) for request, _ in batch))
            last = time.monotonic()
            by_kind = sorted(batch, key=_kind)
            for _, group in groupby(by_kind, _kind):
                self._write(door, list(group))
            self._on_commit()
        door.close()

    def _next_batch(self) -> list[tuple[OtlpRequest, Future[None]]]:
        item = self._waiting.get()
        return [] if item is None else [item]

    def _arrived(self, room: int) -> list[tuple[OtlpRequest, Future[None]]]:
        arrived = []
        while room > 0:
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                break
            if item is None:
                self._waiting.put(None)
                break
            arrived.append(item)
            room -= len(item[0].body)
        return arrived

    def _write(self, door: Door, group: Sequence[tuple[OtlpRequest, Future[None]]]) -> None:
        """Insert a group; when that fails for what is in it, halve it until the bad request stands alone."""
        try:
            door.insert([request for request, _ in group])
        except Exception as error:  # noqa: BLE001 - whatever happens here, nobody may wait for ever
            if len(group) > 1 and not is_outage(error):
                middle = len(group) // 2
                self._write(door, group[:middle])
                self._write(door, group[middle:])
                return
            self._done(group, _as_answer(error))
            return
        self._done(group, None)

    def _done(self, group: Sequence[tuple[OtlpRequest, Future[None]]], error: SpanledgerError | None) -> None:
        with self._lock:
            self._waiting_bytes -= sum(len(request.body) for request, _ in group)
        for _, future in group:
            if not future.set_running_or_notify_cancel():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)


def _kind(item: tuple[OtlpRequest, Future[None]]) -> tuple[str, str]:
    return item[0].signal, item[0].encoding


def _as_answer(error: Exception) -> SpanledgerError:
    if isinstance(error, ClickHouseError) and is_bad_input(error):
        return InputError(f"The request cannot be read. {refusal(error)}")
    _log.error("Could not write a group of requests: %s", error)
    return OverloadedError(f"The ledger could not be written. {refusal(error)}")
