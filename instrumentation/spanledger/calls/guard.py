"""The seam for a guard: one hook that sees each call before it leaves, and may refuse it.

Internal. A hook is called once for a logical call, above the client's retries, on the caller's thread: it must answer
from memory. It refuses a call by raising CallRefused, which reaches the caller as an error of the client too
(`OpenAIError`, `AnthropicError`), so that handlers that the application has go on working; no request leaves. Any other
exception is the hook's own failure: it is told once, and the call goes on. Calls that a hook makes itself are not shown.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

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
_refusal_types: Final[dict[tuple[type[CallRefused], type[Exception]], type[CallRefused]]] = {}
_is_asked: ContextVar[bool] = ContextVar("spanledger.guard_is_asked", default=False)


def set_guard(guard: Guard | None) -> None:
    """Install the hook of this process, in place of the one before; None removes it."""
    global _guard  # noqa: PLW0603 - a process has one guard
    _guard = guard


def ask_guard(call: CallRecord) -> None:
    """Show the hook a call; raises CallRefused when it refuses it."""
    guard = _guard
    if guard is None or not call.outgoing.operation or _is_asked.get():
        return
    token = _is_asked.set(True)
    try:
        guard(_described(call))
    except CallRefused as refusal:
        _make_error_of(refusal, call.outgoing.error_type)
        raise
    except Exception:  # noqa: BLE001 - a rule that fails is no reason to fail the call
        warn_once("guard", "spanledger: the guard failed; the call goes on", with_error=True)
    finally:
        _is_asked.reset(token)


def _make_error_of(refusal: CallRefused, error_type: type[Exception] | None) -> None:
    if error_type is not None and not isinstance(refusal, error_type):
        kinds = type(refusal), error_type
        if kinds not in _refusal_types:
            _refusal_types[kinds] = _refusal_type(*kinds)
        refusal.__class__ = _refusal_types[kinds]


def _refusal_type(refusal_type: type[CallRefused], error_type: type[Exception]) -> type[CallRefused]:
    def reduced(refusal: CallRefused) -> tuple[object, ...]:
        return refusal_type, refusal.args, refusal.__dict__  # another process may not have the client

    names = {"__module__": refusal_type.__module__, "__reduce__": reduced}
    return type(refusal_type.__name__, (refusal_type, error_type), names)


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
