"""Lets only this machine's own programs in: no foreign host name (DNS rebinding), no web page of another origin."""

import re
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["LocalOnly", "refusal"]

_LOCAL_HOST: Final = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)


def refusal(headers: Headers) -> str | None:
    """Return why a request with these headers is not let in; None if it is."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _LOCAL_HOST.fullmatch(hosts[0]):
        return f"Host {', '.join(hosts) or '(none)'} is not this machine; use http://127.0.0.1 or http://localhost."
    own = {f"http://{hosts[0]}".lower(), f"https://{hosts[0]}".lower()}
    foreign = [origin for origin in headers.getlist("origin") if origin.lower() not in own]
    return f"Origin {foreign[0]} may not use this endpoint from a browser." if foreign else None


class LocalOnly:
    """ASGI middleware that answers 403 to requests that ``refusal`` has a reason against."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reason = refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        if reason is None:
            await self._app(scope, receive, send)
            return
        response = PlainTextResponse(
            f"Code: 497. DB::Exception: {reason} (ACCESS_DENIED)\n", 403, {"X-ClickHouse-Exception-Code": "497"}
        )
        await response(scope, receive, send)
