"""The seam for a guard: one hook that sees each call before it leaves, and may refuse it.

Internal. A hook is called once for a logical call, above the client's retries, on the caller's thread: it must answer
from memory. It refuses a call by raising CallRefused, which reaches the caller as it is; no request leaves. Any other
exception is the hook's own failure: it is told once, and the call goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING

from spanledger.calls.options import call_options
from spanledger.calls.request import CallRequest
from spanledger.exceptions import CallRefused
from spanledger.once import warn_once
from spanledger.scopes import current_tags

if TYPE_CHECKING:
    from spanledger.calls.record import CallRecord

__all__ = ["Guard", "ask_guard", "set_guard"]

Guard = Callable[[CallRequest], None]

_guard: Guard | None = None


def set_guard(guard: Guard | None) -> None:
    """Install the hook of this process, in place of the one before; None removes it."""
    global _guard  # noqa: PLW0603 - a process has one guard
    _guard = guard


def ask_guard(call: CallRecord) -> None:
    """Show the hook a call; raises CallRefused when it refuses it."""
    guard = _guard
    if guard is None or not call.outgoing.operation:
        return
    try:
        guard(_described(call))
    except CallRefused:
        raise
    except Exception:  # noqa: BLE001 - a rule that fails is no reason to fail the call
        warn_once("guard", "spanledger: the guard failed; the call goes on", with_error=True)


def _described(call: CallRecord) -> CallRequest:
    outgoing = call.outgoing
    return CallRequest(
        provider=outgoing.provider,
        host=outgoing.host,
        model=outgoing.model,
        operation=outgoing.operation,
        is_stream=outgoing.is_stream,
        sizes=MappingProxyType(call.sizes),
        tags=MappingProxyType({**call_options().default_tags, **current_tags()}),
    )
