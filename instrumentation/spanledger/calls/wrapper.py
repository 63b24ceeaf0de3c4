"""The one wrapper: what happens around every request of a client, whichever client it is.

Nothing in it may raise into the call, delay it or repeat it, except a guard that refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context

from spanledger.calls.guard import ask_guard
from spanledger.calls.options import call_options
from spanledger.calls.record import CallRecord, current_call, within
from spanledger.calls.request import Outgoing
from spanledger.calls.shield import guard_propagation
from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Prepared", "around_async", "around_generator", "around_sync", "as_it_is", "counting"]

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
        prepared = _prepared(prepare, client, args, kwargs)
        call = _opened(prepared.outgoing)
        token = otel_context.attach(within(call))
        try:
            result = wrapped(*prepared.args, **prepared.kwargs)
        finally:
            otel_context.detach(token)
            call.release()
        return prepared.finish(result)

    return request


def around_async(prepare: Prepare) -> Wrapper:
    async def request(wrapped: Any, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        prepared = _prepared(prepare, client, args, kwargs)
        call = _opened(prepared.outgoing)
        token = otel_context.attach(within(call))
        try:
            result = await wrapped(*prepared.args, **prepared.kwargs)
        finally:
            otel_context.detach(token)
            call.release()
        return prepared.finish(result)

    return request


def around_generator(prepare: Prepare) -> Wrapper:
    """For a request that leaves when the first item of its stream is asked for."""

    def request(wrapped: Any, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Any]:
        prepared = _prepared(prepare, client, args, kwargs)
        call = _opened(prepared.outgoing)
        items = wrapped(*prepared.args, **prepared.kwargs)
        token = otel_context.attach(within(call))
        try:
            first = next(items, _END)
        finally:
            otel_context.detach(token)
            call.release()
        if first is not _END:
            yield first
            yield from items

    return request


def counting(wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any) -> Any:
    """Count an attempt: for the function that a client calls each time it sends a request."""
    try:
        call = current_call()
        if call is not None:
            call.count_attempt()
    except Exception:  # noqa: BLE001 - the caller's call comes first
        warn_once("attempts", "spanledger: the attempts of a call could not be counted", with_error=True)
    return wrapped(*args, **kwargs)


def _prepared(prepare: Prepare, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Prepared:
    try:
        return prepare(client, args, kwargs)
    except Exception:  # noqa: BLE001 - the caller's call comes first
        warn_once("request", "spanledger: a request could not be read; it goes on unmeasured", with_error=True)
        return Prepared(Outgoing("", ""), args, kwargs)  # no host is listed as own: the shield holds


def _opened(outgoing: Outgoing) -> CallRecord:
    call = CallRecord(outgoing, is_shielded=outgoing.host not in call_options().propagate_hosts)
    try:
        guard_propagation()
        call.describe_open_span()
    except Exception:  # noqa: BLE001 - the caller's call comes first
        warn_once("describe", "spanledger: a call could not be described", with_error=True)
    ask_guard(call)
    return call
