"""Applications under a real server, and what OpenTelemetry's own instrumentation of servers does to a request."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from opentelemetry import context as otel_context
from opentelemetry import propagate

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def serve(app: Any) -> Iterator[str]:
    """Serve an ASGI application on a free port and yield its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", ws="none", log_level="error"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


class Extracting:
    """Restores the context that a request brought, as the instrumentations of web servers do."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        token = otel_context.attach(propagate.extract(headers))
        try:
            await self._app(scope, receive, send)
        finally:
            otel_context.detach(token)
