"""Counts what senders brought and what became of it, and holds them off while a backup is cut."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from spanledger_collector.exceptions import InputError, StoreError
from spanledger_collector.operations.disk import DiskWatch
from spanledger_collector.receiver.commit import Committer, Item, OverloadedError, UnavailableError
from spanledger_collector.receiver.door import Door, OtlpRequest

if TYPE_CHECKING:
    from concurrent.futures import Future

    from spanledger_collector.quarantine import Rejected

__all__ = ["OUTCOMES", "CountingCommitter"]

OUTCOMES: Final = ("stored", "refused", "unavailable")
"""A request is stored, refused for what is in it, or cannot be taken now and will be sent again."""
_HOLD_SECONDS_MAX: Final = 60.0


class CountingCommitter(Committer):
    """A Committer that counts requests by signal and outcome, and takes nothing while the disk is full or writes are held."""

    def __init__(self, connect: Callable[[], Door], on_commit: Callable[[], None], disk: DiskWatch) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()
        self.stored_bytes: Counter[str] = Counter()
        self._disk = disk
        self._counts = threading.Condition()
        self._under_way = 0
        self._held = False
        super().__init__(connect, on_commit)

    def take(self, item: Item) -> "Future[Rejected]":
        with self._counts:
            self._under_way += 1
        try:
            self.admit()
            future = super().take(item)
        except OverloadedError as error:
            self._ended(item.request, error)
            raise
        future.add_done_callback(lambda done: self._ended(item.request, done.exception()))
        return future

    def admit(self) -> None:
        """Raise UnavailableError when nothing can be taken now."""
        if self._held:
            raise UnavailableError("A backup is being cut; send again in a second.")
        self._disk.check()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Take nothing in this block, which begins when everything that was taken is stored or refused."""
        with self._counts:
            if self._held:
                raise StoreError("Another backup is being cut.")
            self._held = True
        try:
            end = time.monotonic() + _HOLD_SECONDS_MAX
            with self._counts:
                while self._under_way:
                    if not self._counts.wait(end - time.monotonic()):
                        raise StoreError("What was being written did not end within a minute; try again.")
            yield
        finally:
            self._held = False

    def _ended(self, request: OtlpRequest, error: BaseException | None) -> None:
        outcome = "stored" if error is None else "refused" if isinstance(error, InputError) else "unavailable"
        with self._counts:
            self.requests[request.signal, outcome] += 1
            if error is None:
                self.stored_bytes[request.signal] += len(request.body)
            self._under_way -= 1
            self._counts.notify_all()
