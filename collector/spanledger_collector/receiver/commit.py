"""Group commit: one thread writes what all connections bring, and answers each request after its data is a written part."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from spanledger_collector.exceptions import InputError, SpanledgerError
from spanledger_collector.quarantine import RefusedRequest, Rejected
from spanledger_collector.receiver.door import Door, OtlpRequest, check, is_out_of_memory, is_outage
from spanledger_collector.refusals import refusal

__all__ = ["Committer", "Item", "OverloadedError", "UnavailableError"]

_log = logging.getLogger(__name__)

_BATCH_BYTES: Final = 10_000_000  # about 10,000 spans
_WAITING_BYTES: Final = 128_000_000
_MAX_REST_SECONDS: Final = 1.0
_HEAVY_BYTES: Final = 4_000_000


class OverloadedError(SpanledgerError):
    """The request cannot be taken now, because too many come; the sender should try again later."""


class UnavailableError(OverloadedError):
    """The request cannot be taken now, because the collector cannot write; the sender should try again later."""


@dataclass
class Item:
    """A request that waits; ``complaint`` says why it cannot be read, once that is known."""

    request: OtlpRequest
    complaint: InputError | None = None
    coding: str = ""
    future: "Future[Rejected]" = field(default_factory=Future)

    @property
    def size(self) -> int:
        return len(self.request.body)

    def refused(self) -> RefusedRequest:
        of = self.request
        return RefusedRequest(of.number, of.signal, of.encoding, of.tenant, of.body, str(self.complaint), self.coding)


class Committer:
    """Writes requests in groups: at once when idle; while an insert runs, what arrives is collected for the next."""

    def __init__(self, connect: Callable[[], Door], on_commit: Callable[[], None]) -> None:
        self._connect = connect
        self._on_commit = on_commit
        self._waiting: queue.Queue[Item | None] = queue.Queue()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="spanledger-commit", daemon=True)
        self._thread.start()

    def submit(self, request: OtlpRequest) -> "Future[Rejected]":
        """Take a request; the future is done when it is stored, with what of it was kept aside because it cannot be booked.

        Raises OverloadedError when too much is waiting, UnavailableError when the collector is stopping. The future raises InputError
        when the request cannot be read (then it is kept aside), UnavailableError when the database cannot write.
        """
        try:
            check(request)
        except InputError as error:
            return self.refuse(request, error)
        return self.take(Item(request))

    def refuse(self, request: OtlpRequest, complaint: InputError, coding: str = "") -> "Future[Rejected]":
        """Take a request that cannot be read, to keep it aside; the future then raises the complaint."""
        return self.take(Item(request, complaint, coding))

    def take(self, item: Item) -> "Future[Rejected]":
        """Let a request wait for its turn; every request comes through here."""
        with self._lock:
            if self._closed:
                raise UnavailableError("The collector is shutting down; send again later.")
            if self._waiting_bytes > _WAITING_BYTES:
                raise OverloadedError("Too much data waits to be written; send again later.")
            self._waiting_bytes += item.size
            item.future.set_running_or_notify_cancel()  # it will be written, also when its sender leaves
            self._waiting.put(item)
        return item.future

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
        rested = 0.0
        while first := self._waiting.get():
            if self._waiting_bytes < _BATCH_BYTES:
                time.sleep(max(0.0, rested - time.monotonic()))
            batch = [first, *self._arrived(_BATCH_BYTES - first.size)]
            began = time.monotonic()
            readable = sorted((item for item in batch if not item.complaint), key=_kind)
            for _, group in groupby(readable, _kind):
                self._write(door, list(group))
            self._keep_aside(door, [(item, item.complaint) for item in batch if item.complaint])
            self._on_commit()
            # Rest as long as it worked while less than a batch waits: most of a small insert is planning, which many senders then share.
            ended = time.monotonic()
            rested = ended + min(ended - began, _MAX_REST_SECONDS)
        door.close()

    def _arrived(self, room: int) -> list[Item]:
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
            room -= item.size
        return arrived

    def _write(self, door: Door, group: Sequence[Item]) -> None:
        """Insert a group; when that fails for what is in it, halve it until the bad request stands alone with the complaint."""
        try:
            rejected = door.insert([item.request for item in group])
        except Exception as error:  # noqa: BLE001 - whatever happens here, nobody may wait for ever
            if is_outage(error):
                self._turn_away(group, error)
            elif len(group) > 1:
                middle = len(group) // 2
                self._write(door, group[:middle])
                self._write(door, group[middle:])
            elif is_out_of_memory(error) and group[0].size < _HEAVY_BYTES:
                self._turn_away(group, error)  # others took the memory
            else:
                group[0].complaint = InputError(f"The request cannot be read. {refusal(error)}")
            return
        for item in group:
            self._done(item, rejected.get(item.request.number, Rejected()))

    def _keep_aside(self, door: Door, refused: Sequence[tuple[Item, InputError]]) -> None:
        if not refused:
            return
        try:
            door.keep_aside([item.refused() for item, _ in refused])
        except Exception as error:  # noqa: BLE001 - as above
            self._turn_away([item for item, _ in refused], error)
            return
        for item, complaint in refused:
            self._done(item, complaint)

    def _turn_away(self, group: Sequence[Item], error: Exception) -> None:
        _log.error("Could not write a group of requests: %s", error)
        for item in group:
            self._done(item, UnavailableError(f"The ledger could not be written. {refusal(error)}"))

    def _done(self, item: Item, answer: Rejected | SpanledgerError) -> None:
        with self._lock:
            self._waiting_bytes -= item.size
        if isinstance(answer, Rejected):
            item.future.set_result(answer)
        else:
            item.future.set_exception(answer)


def _kind(item: Item) -> tuple[str, str]:
    return item.request.signal, item.request.encoding
