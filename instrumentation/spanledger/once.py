"""Saying a thing once: what goes wrong in the SDK is told to the operator a single time, and counted each time."""

from __future__ import annotations

import logging
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["error_counts", "forget_warnings", "warn_once"]

_logger: Final = logging.getLogger("spanledger")

# What was said -> how often it happened, and where our own code failed. No lock: a garbage collection inside one may
# end a span of the same thread, and a fork may copy a held one. setdefault() and next() are atomic by themselves.
_said: Final[dict[str, Iterator[int]]] = {}
_errors: Final[dict[str, int]] = {}


def warn_once(key: str, message: str, *values: object, level: int = logging.WARNING, with_error: bool = False) -> None:
    """Log the message the first time this key is seen in the process; later calls only count.

    `with_error` says that an error of our own is being handled: it is logged with its traceback and counted by key.
    """
    times = _said.get(key)
    if times is None:
        times = _said.setdefault(key, count(1))
    number = next(times)
    if with_error:
        _errors[key] = max(number, _errors.get(key, 0))
    if number == 1:
        _logger.log(level, message, *values, exc_info=with_error)


def error_counts() -> dict[str, int]:
    """Return how often our own code failed, by place."""
    return dict(_errors)


def forget_warnings() -> None:
    """Make every warning speak again, as in a new process."""
    _said.clear()
    _errors.clear()
