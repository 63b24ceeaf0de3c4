"""Scopes: where tags hold. They live under a context key of our own, so no propagator carries them to a vendor."""

from __future__ import annotations

import contextvars
import functools
import inspect
from typing import TYPE_CHECKING, Any, Final, NamedTuple, ParamSpec, Self, TypeVar, cast

from opentelemetry import context as otel_context

from spanledger.attributes import AGENT_NAME, AGENT_STEP, TASK, TASK_ID
from spanledger.generators import ContextAsyncGenerator, ContextGenerator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context

__all__ = ["TagScope", "add_to_request", "current_tags", "merged", "with_inbound_tags", "with_request"]

_KEY: Final = otel_context.create_key("spanledger.tags")

# What an outer scope said of a task or an agent is not true of another task or agent.
_DETAIL_OF: Final = {TASK: TASK_ID, AGENT_NAME: AGENT_STEP}

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _State(NamedTuple):
    """What a context holds: the tags of the scopes entered, and those of the request, which may grow (or None)."""

    scoped: Mapping[str, str]
    request: dict[str, str] | None


_NOTHING: Final = _State({}, None)


def _state(context: Context | None = None) -> _State:
    state: _State | None = otel_context.get_value(_KEY, context)  # type: ignore[assignment] # the key is ours
    return _NOTHING if state is None else state


def current_tags(context: Context | None = None) -> Mapping[str, str]:
    """Return the tags in force as span attribute -> value; empty when there are none."""
    scoped, request = _state(context)
    return merged(request, scoped) if request else scoped


def merged(outer: Mapping[str, str], inner: Mapping[str, str]) -> dict[str, str]:
    """Return both, the inner one winning tag by tag; the id of a task goes with its name, the step with its agent."""
    result = {**outer, **inner}
    for name, detail in _DETAIL_OF.items():
        if name in inner and detail in outer and detail not in inner and inner[name] != outer.get(name):
            del result[detail]
    return result


def with_inbound_tags(context: Context, inbound: Mapping[str, str], *, scopes_of: Context | None = None) -> Context:
    """Return the context with tags that came from a caller in another process: any scope that is entered wins.

    `scopes_of` is the context whose scopes go on, where that is another one.
    """
    state = _state(context if scopes_of is None else scopes_of)
    if not inbound and state is _NOTHING:
        return context
    return otel_context.set_value(_KEY, state._replace(scoped=merged(inbound, state.scoped)), context)


def with_request() -> Context:
    """Return the current context as that of a request of its own, which add_to_request() may add tags to."""
    return otel_context.set_value(_KEY, _State({}, dict(current_tags())))


def add_to_request(attributes: Mapping[str, str]) -> bool:
    """Tag the rest of the request, in every copy of its context; False when there is no request."""
    request = _state().request
    if request is None:
        return False
    request.update(attributes)
    return True


class TagScope:
    """A set of tags that can be entered once, or decorate any number of calls."""

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self._attributes = attributes
        self._token: Token[Context] | None = None

    def __enter__(self) -> Self:
        if self._token is not None:
            raise RuntimeError("this scope is already entered; call tags() or task() again for a second one")
        state = _state()
        entered = state._replace(scoped=merged(state.scoped, self._attributes))
        self._token = otel_context.attach(otel_context.set_value(_KEY, entered))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        token, self._token = self._token, None
        if token is not None:
            otel_context.detach(token)

    def _fresh(self) -> TagScope:
        # Each call of a decorated function enters a scope of its own: calls overlap in threads and asyncio tasks.
        return TagScope(self._attributes)

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Return the function, tagged whenever it runs; of a generator, whenever its body runs."""
        if inspect.isgeneratorfunction(function):
            return cast("Callable[_P, _R]", self._around_generator(function, ContextGenerator))
        if inspect.isasyncgenfunction(function):
            return cast("Callable[_P, _R]", self._around_generator(function, ContextAsyncGenerator))
        if inspect.iscoroutinefunction(function):
            return cast("Callable[_P, _R]", self._around_coroutine(function))

        @functools.wraps(function)
        def tagged(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            with self._fresh():
                return function(*args, **kwargs)

        return tagged

    def _around_coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def tagged(*args: object, **kwargs: object) -> object:
            with self._fresh():
                return await function(*args, **kwargs)

        return tagged

    def _around_generator(self, function: Callable[..., Any], held: Callable[..., Any]) -> Callable[..., Any]:
        # The body runs in the context of the call, step by step, whoever consumes it: a response is often streamed
        # after the function that made it has returned. Nothing of that context is seen by the consumer.
        @functools.wraps(function)
        def tagged(*args: object, **kwargs: object) -> object:
            context = contextvars.copy_context()
            context.run(self._fresh().__enter__)
            return held(function(*args, **kwargs), context)

        return tagged
