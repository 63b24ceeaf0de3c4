"""Runs the HTTP and gRPC servers of the collector in one event loop, in a thread of its own."""

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette

from spanledger_collector.exceptions import StoreError

__all__ = ["HOST", "Services", "listen", "url_of"]

HOST: Final = "127.0.0.1"
_SHUTDOWN_SECONDS: Final = 5
_UNREAD_MILLISECONDS_MAX: Final = 60_000


def listen(name: str, port: int) -> socket.socket:
    """Return a listening socket on loopback (port 0: a free one); StoreError says which service could not have its port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if (
        sys.platform == "linux"
    ):  # a client that stops reading its answer is cut off by the system; its connections inherit this
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MILLISECONDS_MAX)
    try:
        listener.bind((HOST, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        raise StoreError(_taken(name, port, error)) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


class Services:
    """Serves until closed: Starlette applications on sockets, and one gRPC server."""

    def __init__(self, apps: Mapping[socket.socket, Starlette], build_grpc: Callable[[], Any], grpc_port: int) -> None:
        self._servers = {listener: uvicorn.Server(_config(app)) for listener, app in apps.items()}
        self._build_grpc = build_grpc
        if grpc_port:
            # gRPC itself would not say why it cannot have a port.
            listen("OTLP/gRPC", grpc_port).close()
        self._stop: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        started: Future[int] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(grpc_port, started)), name="spanledger-serve", daemon=True
        )
        self._thread.start()
        self.grpc_port = started.result()

    def close(self) -> None:
        """Finish the requests under way, then stop."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self, grpc_port: int, started: "Future[int]") -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        rpc = self._build_grpc()
        try:
            port = rpc.add_insecure_port(f"{HOST}:{grpc_port}")
        except RuntimeError as error:
            started.set_exception(StoreError(_taken("OTLP/gRPC", grpc_port, error)))
            return
        await rpc.start()
        tasks = [asyncio.create_task(server.serve(sockets=[listener])) for listener, server in self._servers.items()]
        while not all(server.started for server in self._servers.values()):  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.01)
        started.set_result(port)
        await self._stop.wait()
        for server in self._servers.values():
            server.should_exit = True
        await rpc.stop(_SHUTDOWN_SECONDS)
        await asyncio.gather(*tasks)


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=_SHUTDOWN_SECONDS
    )


def _taken(name: str, port: int, error: Exception) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return (
        f"Port {port} for {name} cannot be used: {reason}. Is another collector running? "
        "Stop it, or choose another port (see `spanledger up --help`)."
    )
