"""Tells systemd how the service fares (sd_notify), where systemd asked for it."""

import logging
import os
import socket
from typing import Final

__all__ = ["notify", "watchdog_seconds"]

_log = logging.getLogger(__name__)
_ABSTRACT: Final = "@"
_SECONDS_MAX: Final = 1.0


def notify(state: str) -> None:
    """Send a state such as ``READY=1``; does nothing where no service manager listens (NOTIFY_SOCKET)."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if not where:
        return
    address = "\0" + where[1:] if where.startswith(_ABSTRACT) else where
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(_SECONDS_MAX)  # a manager that does not read must not hold us up
            sender.connect(address)
            sender.send(state.encode())
    except OSError as error:
        _log.warning("The service manager at NOTIFY_SOCKET does not listen: %s", error)


def watchdog_seconds() -> float | None:
    """Return how often the service manager wants to hear of us, halved to be in time; None: it does not."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    ours = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(microseconds) / 2e6 if microseconds.isdigit() and int(microseconds) and ours else None
