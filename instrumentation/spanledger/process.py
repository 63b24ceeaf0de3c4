"""Which process this is, and how far it has counted: after a fork the child is another one, whatever it inherited."""

from __future__ import annotations

import itertools
import os
import secrets

__all__ = ["next_sequence", "process_id"]

# Numbers begin at 1: 0 is the ledger's word for unknown.
_identity = (os.getpid(), secrets.token_hex(8), itertools.count(1))


def process_id() -> str:
    """Return 16 hex digits that no other process shares; a restart, a fork and a spawn each get their own.

    The pid is asked each time, because a server that forks in C (uWSGI) runs none of Python's hooks.
    """
    global _identity  # noqa: PLW0603 - a process has one identity
    pid = os.getpid()
    if _identity[0] != pid:
        _identity = (pid, secrets.token_hex(8), itertools.count(1))
    return _identity[1]


def next_sequence() -> int:
    """Return the next number of a GenAI span in this process; metering that is stopped and started again counts on."""
    return next(_identity[2])
