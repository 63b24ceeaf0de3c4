"""Tags: who a call is for. They live under a context key of our own, so no propagator carries them to a vendor."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Self, TypeVar, cast
from uuid import UUID

from opentelemetry import context as otel_context

from spanledger.attributes import TAG_ATTRIBUTES
from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context

__all__ = ["TAG_LENGTH_MAX", "TagScope", "TagValue", "current_tags", "tags"]

TAG_LENGTH_MAX: Final = 128

_KEY: Final = otel_context.create_key("spanledger.tags")
_NO_TAGS: Final[Mapping[str, str]] = {}

_P = ParamSpec("_P")
_R = TypeVar("_R")

TagValue = str | int | UUID | None


def current_tags(context: Context | None = None) -> Mapping[str, str]:
    """Return the tags in force as span attribute -> value; empty when there are none."""
    return cast("Mapping[str, str]", otel_context.get_value(_KEY, context) or _NO_TAGS)


def tags(
    *,
    team: TagValue = None,
    feature: TagValue = None,
    tenant: TagValue = None,
    user: TagValue = None,
    session: TagValue = None,
    task: TagValue = None,
    agent: TagValue = None,
    agent_step: TagValue = None,
) -> TagScope:
    """Tag every span started inside a `with`, or inside a function or coroutine that this decorates.

    Scopes nest, the inner one wins tag by tag, and None leaves a tag as it is. Values are strings (numbers and UUIDs
    are turned into one), cut at 128 characters. A value that is none of these is left out and warned of once: it may
    come from a request, and a call must not fail for it. An unknown tag is a TypeError on the caller's own line.
    """
    given: dict[str, object] = {
        "team": team,
        "feature": feature,
        "tenant": tenant,
        "user": user,
        "session": session,
        "task": task,
        "agent": agent,
        "agent_step": agent_step,
    }
    return TagScope({TAG_ATTRIBUTES[name]: text for name, value in given.items() if (text := _text(name, value))})


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, int | UUID) and not isinstance(value, bool):
        text = str(value)
    else:
        warn_once(
            f"tag-type-{name}",
            "tags(%s=...) is left out: expected a string, a number or a UUID, got %s",
            name,
            type(value).__name__,
        )
        return ""
    if len(text) > TAG_LENGTH_MAX:
        warn_once(f"tag-length-{name}", "tags(%s=...) is cut at %d characters", name, TAG_LENGTH_MAX)
    return text[:TAG_LENGTH_MAX]


class TagScope:
    """A set of tags that can be entered once, or decorate any number of calls."""

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self._attributes = attributes
        self._token: Token[Context] | None = None

    def __enter__(self) -> Self:
        if self._token is not None:
            raise RuntimeError("this scope is already entered; call tags() or task() again for a second one")
        merged = {**current_tags(), **self._attributes}
        self._token = otel_context.attach(otel_context.set_value(_KEY, merged))
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
        """Return the function, tagged whenever it runs."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            name = getattr(function, "__qualname__", repr(function))
            raise TypeError(
                f"{name} is a generator: its tags would leak to whoever consumes it; "
                "use `with spanledger.tags(...):` inside it, around the call"
            )
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
