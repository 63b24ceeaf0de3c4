"""Generators whose body runs in a context of its own, whoever consumes them and wherever."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Generator
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from contextvars import Context
    from types import TracebackType

__all__ = ["ContextAsyncGenerator", "ContextGenerator"]

_Y = TypeVar("_Y")
_S = TypeVar("_S")
_R = TypeVar("_R")


class ContextGenerator(Generator[_Y, _S, _R]):
    """A generator of which each step runs in the given context."""

    def __init__(self, generator: Generator[_Y, _S, _R], context: Context) -> None:
        self._generator = generator
        self._context = context

    def send(self, value: _S, /) -> _Y:
        return self._context.run(self._generator.send, value)

    def throw(self, kind: Any, value: Any = None, trace: TracebackType | None = None, /) -> _Y:
        error = kind if value is None else value
        if trace is not None:
            error = error.with_traceback(trace)
        return self._context.run(self._generator.throw, error)

    def close(self) -> None:
        self._context.run(self._generator.close)

    def __del__(self) -> None:
        self.close()  # here, for the body's own scopes end in the context that they were entered in


class ContextAsyncGenerator(AsyncGenerator[_Y, _S]):
    """An asynchronous generator of which each step runs in the given context."""

    def __init__(self, generator: AsyncGenerator[_Y, _S], context: Context) -> None:
        self._generator = generator
        self._context = context

    async def asend(self, value: _S, /) -> _Y:
        return cast("_Y", await _Steps(self._generator.asend(value), self._context))

    async def athrow(self, kind: Any, value: Any = None, trace: TracebackType | None = None, /) -> _Y:
        error = kind if value is None else value
        if trace is not None:
            error = error.with_traceback(trace)
        return cast("_Y", await _Steps(self._generator.athrow(error), self._context))

    async def aclose(self) -> None:
        await _Steps(self._generator.aclose(), self._context)


class _Steps(Awaitable[Any]):
    """Awaits something of which each step, from one suspension to the next, runs in the given context."""

    def __init__(self, awaitable: Awaitable[Any], context: Context) -> None:
        self._awaitable = awaitable
        self._context = context

    def __await__(self) -> Generator[Any, Any, Any]:
        steps: Any = self._awaitable.__await__()
        step, value = steps.send, None
        while True:
            try:
                awaited = self._context.run(step, value)
            except StopIteration as end:
                return end.value
            try:
                step, value = steps.send, (yield awaited)
            except BaseException as error:  # noqa: BLE001 - a cancellation too belongs to the body
                step, value = steps.throw, error
