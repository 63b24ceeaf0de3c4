"""Threads and thread pools carry the OpenTelemetry context, tags included, of whoever starts or submits the work."""

from __future__ import annotations

import functools
import inspect
import threading
from concurrent import futures
from typing import TYPE_CHECKING, Any, Final

import wrapt
from opentelemetry import context as otel_context
from opentelemetry.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["carry_into_threads"]

_lock: Final = threading.Lock()
_is_on = False
_EMPTY: Final = Context()
# New in Python 3.14, and a thread pool by inheritance; what it is given must pickle, which a context does not.
_INTERPRETER_POOL: Final = getattr(futures, "InterpreterPoolExecutor", ())


class _Carrier(wrapt.FunctionWrapper):  # type: ignore[type-arg] # generic in its stubs only
    """A wrapper that can be told from anybody else's on the same method."""


def carry_into_threads(*, is_on: bool) -> None:
    """Make threading.Thread and ThreadPoolExecutor carry the context from now on, or no more.

    OpenTelemetry's own ThreadingInstrumentor does the same; beside it the work sees the same context all the same.
    """
    global _is_on  # noqa: PLW0603 - a process has one threading.Thread
    with _lock:
        _is_on = is_on
        if not is_on:
            return
        _wrap(threading.Thread, "start", _start)
        _wrap(futures.ThreadPoolExecutor, "submit", _submit)


def _wrap(owner: type, method: str, wrapper: Callable[..., Any]) -> None:
    current = inspect.getattr_static(owner, method)  # the class may be gevent's, which inherits it
    if not isinstance(current, _Carrier):
        setattr(owner, method, _Carrier(current, wrapper))


def _start(wrapped: Callable[..., Any], thread: Any, args: Any, kwargs: Any) -> Any:
    context = otel_context.get_current()
    if context and _is_on:
        # On the instance, for most threads of libraries are subclasses with a run() of their own.
        thread.run = functools.partial(_run, context, thread, thread.run)
    return wrapped(*args, **kwargs)


def _run(context: Context, thread: Any, run: Callable[[], None]) -> None:
    try:
        _call(context, run)
    finally:
        thread.__dict__.pop("run", None)  # else the thread and its context keep each other alive


def _submit(wrapped: Callable[..., Any], pool: Any, args: Any, kwargs: Any) -> Any:
    context = otel_context.get_current()
    if not context or not _is_on or not args or isinstance(pool, _INTERPRETER_POOL):
        return wrapped(*args, **kwargs)
    function, *rest = args
    # A worker that starts here serves later work too: it must not carry what is true of this piece only.
    token = otel_context.attach(_EMPTY)
    try:
        return wrapped(functools.partial(_call, context, function), *rest, **kwargs)
    finally:
        otel_context.detach(token)


def _call(context: Context, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    token = otel_context.attach(context)
    try:
        return function(*args, **kwargs)
    finally:
        otel_context.detach(token)
