"""ASGI middleware that gives each request tags of its own, for FastAPI, Starlette and their kin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context

from spanledger.scopes import with_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    App = Callable[[Any, Any, Any], Awaitable[None]]

__all__ = ["TagMiddleware"]


class TagMiddleware:
    """Lets add_tags() speak for the whole request, response stream and background tasks included.

    A synchronous dependency or endpoint runs in a thread, in a copy of the request's context: what `with tags(...)`
    sets there ends there. What add_tags() sets there holds for the request: `app.add_middleware(TagMiddleware)`.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        token = otel_context.attach(with_request())
        try:
            await self._app(scope, receive, send)
        finally:
            otel_context.detach(token)
