"""Which process this is: after a fork the child is another one, whatever it inherited."""

from __future__ import annotations

import os
import secrets

__all__ = ["process_id"]

_identity = (os.getpid(), secrets.token_hex(8))


def process_id() -> str:
    """Return 16 hex digits that no other process shares; a restart, a fork and a spawn each get their own.

    The pid is asked each time, because a server that forks in C (uWSGI) runs none of Python's hooks.
    """
    global _identity  # noqa: PLW0603 - a process has one identity
    pid = os.getpid()
    if _identity[0] != pid:
        _identity = (pid, secrets.token_hex(8))
    return _identity[1]
