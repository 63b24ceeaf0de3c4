"""The one wrapper: what happens around every request of a client, whichever client it is.

Nothing in it may raise into the call, delay it or repeat it, except a guard that refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context

from spanledger.calls.guard import ask_guard
from spanledger.calls.options import call_options
from spanledger.calls.record import CallRecord, current_call, within
from spanledger.calls.request import Outgoing
from spanledger.calls.shield import guard_propagation, propagate_to, remove_trace_context
from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping
    from contextvars import Token

    from opentelemetry.context import Context

__all__ = ["Prepared", "about_to_send", "around_async", "around_generator", "around_sync", "as_it_is", "before_sending"]

_END: Final = object()


def as_it_is(result: Any) -> Any:
    return result


@dataclass(slots=True)
class Prepared:
    """A request as it shall leave."""

    outgoing: Outgoing
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    finish: Callable[[Any], Any] = as_it_is


if TYPE_CHECKING:
    # An adapter: reads the client, the positional and the named arguments of one request.
    Prepare = Callable[[Any, tuple[Any, ...], dict[str, Any]], Prepared]
    Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


def around_sync(prepare: Prepare) -> Wrapper:
    def request(wrapped: Any, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not call_options().is_active:
            return wrapped(*args, **kwargs)
        prepared = _prepared(prepare, client, args, kwargs)
        call = _opened(prepared.outgoing)
        token = _entered(call)
        try:
            result = wrapped(*prepared.args, **prepared.kwargs)
        finally:
            _left(call, token)
        return prepared.finish(result)

    return request


def around_async(prepare: Prepare) -> Wrapper:
    async def request(wrapped: Any, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not call_options().is_active:
            return await wrapped(*args, **kwargs)
        prepared = _prepared(prepare, client, args, kwargs)
        call = _opened(prepared.outgoing)
        token = _entered(call)
        try:
            result = await wrapped(*prepared.args, **prepared.kwargs)
        finally:
            _left(call, token)
        return prepared.finish(result)

    return request


def around_generator(prepare: Prepare) -> Wrapper:
    """For a request that leaves when the first item of its stream is asked for."""

    def request(wrapped: Any, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Any]:
        if not call_options().is_active:
            yield from wrapped(*args, **kwargs)
            return
        prepared = _prepared(prepare, client, args, kwargs)
        call = _opened(prepared.outgoing)
        items = wrapped(*prepared.args, **prepared.kwargs)
        token = _entered(call)
        try:
            first = next(items, _END)
        finally:
            _left(call, token)
        if first is not _END:
            yield first
            yield from items

    return request


def before_sending(headers_of: Callable[..., MutableMapping[str, Any]]) -> Wrapper:
    """For the function that a client calls each time it sends a request, which `headers_of` finds the headers in."""

    def send(wrapped: Any, _client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        about_to_send(partial(headers_of, *args, **kwargs))
        return wrapped(*args, **kwargs)

    return send


def about_to_send(headers: Callable[[], MutableMapping[str, Any]]) -> None:
    """Count an attempt, and see to it that its headers carry what they may."""
    call = None
    try:
        call = current_call()
        if call is None:
            return
        if call.is_shielded:
            remove_trace_context(headers())
        else:
            propagate_to(headers())
    except Exception:  # noqa: BLE001 - the caller's call comes first
        warn_once("propagate", "spanledger: the trace context of a request is as its client made it", with_error=True)
    try:
        if call is not None:
            call.count_attempt()
    except Exception:  # noqa: BLE001 - the caller's call comes first
        warn_once("attempts", "spanledger: the attempts of a call could not be counted", with_error=True)


def _prepared(prepare: Prepare, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Prepared:
    try:
        return prepare(client, args, kwargs)
    except Exception:  # noqa: BLE001 - the caller's call comes first
        warn_once("request", "spanledger: a request could not be read; it goes on unmeasured", with_error=True)
        return Prepared(Outgoing("", ""), args, kwargs)  # no host is listed as own: the shield holds


def _opened(outgoing: Outgoing) -> CallRecord | None:
    call = None
    try:
        call = CallRecord(outgoing, is_shielded=outgoing.host not in call_options().propagate_hosts)
        guard_propagation()
        call.describe_open_span()
    except Exception:  # noqa: BLE001 - the caller's call comes first
        warn_once("describe", "spanledger: a call could not be described", with_error=True)
    if call is not None:
        ask_guard(call)
    return call


def _entered(call: CallRecord | None) -> Token[Context] | None:
    try:
        return None if call is None else otel_context.attach(within(call))
    except Exception:  # noqa: BLE001 - the caller's call comes first
        warn_once("enter", "spanledger: a request is neither measured nor shielded", with_error=True)
        return None


def _left(call: CallRecord | None, token: Token[Context] | None) -> None:
    try:
        if token is not None:
            otel_context.detach(token)
        if call is not None:
            call.release()
    except Exception:  # noqa: BLE001 - the caller's call comes first
        warn_once("leave", "spanledger: what a request has told could not be kept", with_error=True)
