"""Counts metric requests: they are accepted, because senders send them, and not stored, because money comes from spans and logs."""

import threading
from dataclasses import dataclass, field

__all__ = ["MetricsSeen"]


@dataclass
class MetricsSeen:
    """How many metric requests came, and their bytes."""

    requests: int = 0
    bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, size: int) -> None:
        """Count one request."""
        with self._lock:
            self.requests += 1
            self.bytes += size
