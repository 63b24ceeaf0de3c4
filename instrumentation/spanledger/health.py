"""What became of the items of one signal, in numbers that add up."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

__all__ = ["Health", "SignalStats"]


@dataclass(frozen=True)
class SignalStats:
    """Items of one signal since the start of the process: delivered + dropped + unconfirmed + queued = all."""

    delivered_items: int = 0
    # Reason -> items: queue_full, rejected (by a partial success), refused, too_large, not_encodable, exit, closed.
    dropped_items: dict[str, int] = field(default_factory=dict)
    failed_attempts: int = 0
    # Sent as a whole, but the process ended before the endpoint said what became of them: nobody here can know.
    unconfirmed_items: int = 0


class Health:
    """Counts of one signal. delivered() and failed() are called by one thread, dropped() by any."""

    def __init__(self, signal: str) -> None:
        self.signal = signal
        self.start_anew()

    def start_anew(self) -> None:
        """Begin at zero, with a lock that no other thread holds: in a forked child, its parent's counts are not its."""
        # Reentrant: a garbage collection inside it may end a span that is dropped too.
        self._lock = threading.RLock()
        self._delivered = 0
        self._failed = 0
        self._unconfirmed = 0
        self._dropped: dict[str, int] = {}
        self.told_items = 0
        self.last_trouble = ""

    def delivered(self, items: int) -> None:
        self._delivered += items

    def failed(self, message: str) -> None:
        self._failed += 1
        self.last_trouble = message

    def unconfirmed(self, items: int) -> None:
        self._unconfirmed += items

    def dropped(self, reason: str, items: int = 1) -> None:
        if items:
            with self._lock:
                self._dropped[reason] = self._dropped.get(reason, 0) + items

    @property
    def dropped_items(self) -> int:
        return sum(self.stats().dropped_items.values())

    def stats(self) -> SignalStats:
        with self._lock:
            return SignalStats(self._delivered, dict(self._dropped), self._failed, self._unconfirmed)
