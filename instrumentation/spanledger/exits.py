"""The end of a worker process of multiprocessing, which runs no atexit handlers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["before_worker_exit"]

# Celery's fork of multiprocessing has the same parts under its own name.
_PACKAGES: Final = ("multiprocessing", "billiard")


def before_worker_exit(finish: Callable[[], None]) -> None:
    """Have `finish` called when this process ends, if it is a worker of multiprocessing; otherwise do nothing."""
    for package in _PACKAGES:
        process, util = sys.modules.get(f"{package}.process"), sys.modules.get(f"{package}.util")
        if process is not None and util is not None and process.current_process().name != "MainProcess":
            util.Finalize(None, finish, exitpriority=0)
