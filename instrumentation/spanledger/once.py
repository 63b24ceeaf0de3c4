"""Saying a thing once: what goes wrong in the SDK is told to the operator a single time, never per call."""

from __future__ import annotations

import logging
import threading
from typing import Final

__all__ = ["forget_warnings", "warn_once"]

_logger: Final = logging.getLogger("spanledger")
_said: Final[set[str]] = set()
_lock: Final = threading.Lock()


def warn_once(key: str, message: str, *values: object, level: int = logging.WARNING, with_error: bool = False) -> None:
    """Log the message the first time this key is seen in the process; later calls cost one set lookup."""
    if key in _said:
        return
    with _lock:
        if key in _said:
            return
        _said.add(key)
    _logger.log(level, message, *values, exc_info=with_error)


def forget_warnings() -> None:
    """Make every warning speak again, as in a new process."""
    with _lock:
        _said.clear()
