"""Tags that travel as baggage go to own hosts only, whichever HTTP client writes them, and whoever put them there.

A propagator is not told the host that its headers are for. So they are looked at where a request is written, below every
instrumentation: in http.client (urllib, urllib3, requests, botocore), httpcore (httpx), httpcore2 (httpx2) and aiohttp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import wrapt

from spanledger.attributes import TAG_NAMES
from spanledger.calls import call_options
from spanledger.imports import wrap_when_imported
from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["keep_tags_from_vendors"]

_PREFIXES: Final = ("uberctx-", "ot-baggage-")  # of Jaeger's and OpenTracing's propagators: a header per entry


def keep_tags_from_vendors() -> None:
    """Wrap the HTTP clients, those that are imported at once and others as they are; does nothing the second time."""
    for name, wrap in _WRAPS.items():
        wrap_when_imported(name, wrap, f"tags in requests of {name} go to every host")


def _is_vendor(host: str, port: int | None) -> bool:
    options = call_options()
    return options.is_active and f"{host}:{port}".lower() not in options.propagate_hosts


def _is_suspect(name: str) -> bool:
    name = name.lower()
    return name == "baggage" or name.startswith(_PREFIXES)


def _without_tags(name: str, value: str) -> str:
    """Return what is left of a header of baggage; empty when nothing is."""
    if name.lower() != "baggage":
        return "" if name.lower().endswith(tuple(TAG_NAMES)) else value
    entries = (entry.strip() for entry in value.split(","))
    return ",".join(entry for entry in entries if entry.partition("=")[0].strip() not in TAG_NAMES)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _wrap_http_client(module: ModuleType) -> None:
    def putheader(
        wrapped: Callable[..., None], connection: Any, args: tuple[Any, ...], options: dict[str, Any]
    ) -> None:
        try:
            name, *values = map(_text, args)
            if _is_suspect(name) and _is_vendor(
                connection._tunnel_host or connection.host,  # noqa: SLF001 - the host behind a proxy; nothing else says it
                connection._tunnel_port or connection.port,  # noqa: SLF001
            ):
                left = _without_tags(name, ",".join(values))
                if not left:
                    return None
                args = (args[0], left)
        except Exception:  # noqa: BLE001 - the request comes first
            _warn()
        return wrapped(*args, **options)

    wrapt.wrap_function_wrapper(module, "HTTPConnection.putheader", putheader)


def _wrap_httpcore(module: ModuleType) -> None:
    def handle(wrapped: Callable[..., Any], _pool: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        try:
            request = args[0] if args else options["request"]
            headers = [(name, value) for name, value in request.headers if _is_suspect(_text(name))]
            if headers and _is_vendor(_text(request.url.host), request.url.port):
                kept = [header for header in request.headers if header not in headers]
                left = [(name, _without_tags(_text(name), _text(value)).encode("latin-1")) for name, value in headers]
                request.headers = kept + [header for header in left if header[1]]
        except Exception:  # noqa: BLE001 - the request comes first
            _warn()
        return wrapped(*args, **options)

    wrapt.wrap_function_wrapper(module, "ConnectionPool.handle_request", handle)
    wrapt.wrap_function_wrapper(module, "AsyncConnectionPool.handle_async_request", handle)


def _wrap_aiohttp(module: ModuleType) -> None:
    def send(wrapped: Callable[..., Any], request: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        try:
            headers = [(name, value) for name, value in request.headers.items() if _is_suspect(name)]
            if headers and _is_vendor(request.url.host or "", request.url.port):
                for name, _ in headers:
                    request.headers.popall(name, None)
                for name, value in headers:
                    if left := _without_tags(name, value):
                        request.headers.add(name, left)
        except Exception:  # noqa: BLE001 - the request comes first
            _warn()
        return wrapped(*args, **options)

    wrapt.wrap_function_wrapper(module, "ClientRequest.send", send)


def _warn() -> None:
    warn_once("baggage-host", "spanledger: tags in the headers of a request were not looked at", with_error=True)


# The module that writes requests -> what wraps it there.
_WRAPS: Final[dict[str, Callable[[ModuleType], None]]] = {
    "http.client": _wrap_http_client,
    "httpcore": _wrap_httpcore,
    "httpcore2": _wrap_httpcore,
    "aiohttp.client_reqrep": _wrap_aiohttp,
}
