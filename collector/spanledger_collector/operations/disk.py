"""Refuses new data while the disk of the store is nearly full: a sender can wait, a store that cannot write a part cannot."""

import shutil
import threading
import time
from pathlib import Path
from typing import Final

from spanledger_collector.receiver.commit import UnavailableError

__all__ = ["FREE_BYTES_MIN", "DiskWatch"]

FREE_BYTES_MIN: Final = 1_000_000_000
"""Free bytes below which nothing is taken; merges need room for a copy of what they merge."""
_LOOK_SECONDS: Final = 1.0


class DiskWatch:
    """Looks at the free space of a folder's disk, at most once a second."""

    def __init__(self, folder: Path, free_bytes_min: int = FREE_BYTES_MIN) -> None:
        self._folder, self.free_bytes_min = folder, free_bytes_min
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._free_bytes = 0

    @property
    def free_bytes(self) -> int:
        """Bytes that this process may still write there."""
        with self._lock:
            now = time.monotonic()
            if not self._looked_at or now - self._looked_at >= _LOOK_SECONDS:
                self._free_bytes, self._looked_at = shutil.disk_usage(self._folder).free, now
            return self._free_bytes

    def check(self) -> None:
        """Raise UnavailableError while there is too little space."""
        try:
            free = self.free_bytes
        except OSError as error:
            raise UnavailableError(f"The store {self._folder} cannot be found any more: {error.strerror}.") from error
        if free < self.free_bytes_min:
            raise UnavailableError(
                f"The disk of the store {self._folder} has {free / 1e6:,.0f} MB left, and nothing is taken below "
                f"{self.free_bytes_min / 1e6:,.0f} MB (--disk-free-min). Make room; senders may try again."
            )
