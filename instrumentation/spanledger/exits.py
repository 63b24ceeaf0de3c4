"""The ends of a process that run no atexit handlers: that of a worker of multiprocessing, and SIGTERM."""

from __future__ import annotations

import signal
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["before_sigterm", "before_worker_exit"]

_TELLING_S: Final = 0.5  # what was lost is known, and logged, when the time is over

# Celery's fork of multiprocessing has the same parts under its own name.
_PACKAGES: Final = ("multiprocessing", "billiard")


def before_worker_exit(finish: Callable[[], None]) -> None:
    """Have `finish` called when this process ends, if it is a worker of multiprocessing; otherwise do nothing."""
    for package in _PACKAGES:
        process, util = sys.modules.get(f"{package}.process"), sys.modules.get(f"{package}.util")
        if process is not None and util is not None and process.current_process().name != "MainProcess":
            util.Finalize(None, finish, exitpriority=0)


def before_sigterm(end: Callable[[], object], timeout_s: float) -> None:
    """Have `end` called before SIGTERM ends this process, if nobody else handles it; otherwise do nothing.

    An orchestrator stops a process by SIGTERM, and a server such as uvicorn raises it anew once it has closed. Whoever
    sets a handler later has it to itself. The process ends as it would have, by the signal, and at most `timeout_s` later.
    """
    is_main = threading.current_thread() is threading.main_thread()  # Python lets no other one set a handler
    if is_main and timeout_s > 0 and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, partial(_on_sigterm, end, timeout_s))


def _on_sigterm(end: Callable[[], object], timeout_s: float, number: int, _frame: FrameType | None) -> None:
    # The code that was interrupted may hold a lock that the end needs, so another thread does it, for a while.
    thread = threading.Thread(target=end, name="spanledger-sigterm", daemon=True)
    thread.start()
    thread.join(timeout_s + _TELLING_S)
    ours = signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    signal.signal(number, ours)  # the first process of a container outlives it
