"""Tags and trace context for work that goes where no context does: message queues, task queues, process pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar
from urllib.parse import parse_qsl, urlencode

from opentelemetry import context as otel_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from spanledger.attributes import TAG_NAMES
from spanledger.once import warn_once
from spanledger.scopes import current_tags, with_inbound_tags
from spanledger.values import TAG_LENGTH_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context

__all__ = ["Carried", "Received", "carry", "message_headers", "received"]

_HEADER = "spanledger-tags"
_trace_context = TraceContextTextMapPropagator()

_P = ParamSpec("_P")
_R = TypeVar("_R")


def message_headers() -> dict[str, str]:
    """Return the tags and the trace context in force as headers of a message to an own service.

    They are readable text: not for a message that leaves the company. received() is the other end.
    """
    return _headers_of(otel_context.get_current())


def _headers_of(context: Context) -> dict[str, str]:
    headers: dict[str, str] = {}
    _trace_context.inject(headers, context)
    tags = current_tags(context)
    if tags:
        headers[_HEADER] = urlencode(tags)
    return headers


def received(headers: Mapping[str, Any] | None) -> Received:
    """Return the scope of a message: `with spanledger.received(headers):` restores what message_headers() wrote.

    Headers without any of it change nothing, and what cannot be read is warned of once.
    """
    return Received(headers or {})


class Received:
    """What came with a message, entered for the time that it is worked on."""

    def __init__(self, headers: Mapping[str, Any]) -> None:
        self._headers = headers
        self._token: Token[Context] | None = None

    def __enter__(self) -> None:
        self._token = otel_context.attach(_context_from(self._headers))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            otel_context.detach(self._token)


def _context_from(headers: Mapping[str, Any]) -> Context:
    context = otel_context.get_current()
    try:
        texts = {str(name).lower(): _header_text(value) for name, value in headers.items()}
        context = _trace_context.extract(texts, context)
        pairs = parse_qsl(texts.get(_HEADER, ""))
        inbound = {name: text[:TAG_LENGTH_MAX] for name, text in pairs if name in TAG_NAMES}
        return with_inbound_tags(context, inbound)
    except Exception:  # noqa: BLE001 - the work comes first
        warn_once("message", "spanledger: the tags of a message could not be read", with_error=True)
        return context


def _header_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def carry(function: Callable[_P, _R]) -> Carried[_P, _R]:
    """Return the function bound to the tags and the trace in force now, to be called from anywhere else.

    It can be sent to another process too if the function can: `pool.map(spanledger.carry(work), items)`.
    """
    return Carried(function, otel_context.get_current())


class Carried(Generic[_P, _R]):
    """A function and the context that it runs in."""

    def __init__(self, function: Callable[_P, _R], context: Context) -> None:
        self._function = function
        self._context = context

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        token = otel_context.attach(self._context)
        try:
            return self._function(*args, **kwargs)
        finally:
            otel_context.detach(token)

    def __reduce__(self) -> tuple[Any, ...]:
        return _carried, (self._function, _headers_of(self._context))


def _carried(function: Callable[_P, _R], headers: Mapping[str, str]) -> Carried[_P, _R]:
    return Carried(function, _context_from(headers))
