"""Runs the HTTP and gRPC servers of the collector in one event loop, in a thread of its own."""

import asyncio
import ipaddress
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from spanledger_collector.exceptions import StoreError, UsageError

__all__ = ["HOST", "Services", "Site", "Tls", "address", "is_loopback", "listen", "url_of"]

HOST: Final = "127.0.0.1"
_SHUTDOWN_SECONDS: Final = 5
_UNREAD_MILLISECONDS_MAX: Final = 60_000
_HEADER_BYTES_MAX: Final = 65_536
_HEADER_SECONDS_MAX: Final = 10.0


@dataclass(frozen=True)
class Tls:
    """Certificate (with the chain behind it) and key of a server, files in PEM; UsageError when they are not."""

    certificate: Path
    key: Path

    def __post_init__(self) -> None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key, password=_no_password)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
            raise UsageError(f"TLS cannot use {self.certificate} with the key {self.key}: {reason}.") from error

    def for_grpc(self) -> Any:
        """Return them as gRPC wants them."""
        return grpc.ssl_server_credentials([(self.key.read_bytes(), self.certificate.read_bytes())])


def _no_password() -> str:
    raise ValueError("the key needs a password; give one without")


@dataclass(frozen=True)
class Site:
    """An application on a socket, with TLS or without."""

    listener: socket.socket
    app: Starlette
    tls: Tls | None = None


def address(host: str) -> str:
    """Return the IP address to listen on; UsageError when the host is none."""
    try:
        return str(ipaddress.ip_address(HOST if host == "localhost" else host.strip("[]")))
    except ValueError as error:
        raise UsageError(f"{host!r} is no IP address to listen on: give 127.0.0.1, ::1, 0.0.0.0 or another.") from error


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an IP address."""
    return ipaddress.ip_address(host).is_loopback


def listen(name: str, port: int, host: str = HOST) -> socket.socket:
    """Return a listening socket (port 0: a free one); StoreError says which service could not have its port."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if (
        sys.platform == "linux"
    ):  # a client that stops reading its answer is cut off by the system; its connections inherit this
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MILLISECONDS_MAX)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        raise StoreError(_taken(name, port, error)) from error
    return listener


def url_of(listener: socket.socket, *, tls: bool = False) -> str:
    """Return the URL of a listening socket, as programs of this machine write it."""
    host, port = listener.getsockname()[:2]
    return _url(host, port, tls=tls)


def _url(host: str, port: int, *, tls: bool) -> str:
    local = {"0.0.0.0": HOST, "::": "::1"}.get(host, host)
    return f"{'https' if tls else 'http'}://{f'[{local}]' if ':' in local else local}:{port}"


class Services:
    """Serves until closed: applications on sockets, and one gRPC server on a port of a host (0: a free one)."""

    def __init__(
        self,
        sites: Sequence[Site],
        build_grpc: Callable[[], Any],
        grpc_port: int,
        *,
        host: str = HOST,
        tls: Tls | None = None,
    ) -> None:
        self._servers = {site.listener: uvicorn.Server(_config(site)) for site in sites}
        self._build_grpc = build_grpc
        self._host, self._tls = host, tls
        if grpc_port:
            # gRPC itself would not say why it cannot have a port.
            listen("OTLP/gRPC", grpc_port, host).close()
        self._stop: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        started: Future[int] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(grpc_port, started)), name="spanledger-serve", daemon=True
        )
        self._thread.start()
        self.grpc_url = _url(host, started.result(), tls=tls is not None)

    def close(self) -> None:
        """Finish the requests under way, then stop."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self, grpc_port: int, started: "Future[int]") -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        rpc = self._build_grpc()
        try:
            port = self._bound(rpc, grpc_port)
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

    def _bound(self, rpc: Any, port: int) -> int:
        where = f"[{self._host}]:{port}" if ":" in self._host else f"{self._host}:{port}"
        found = rpc.add_secure_port(where, self._tls.for_grpc()) if self._tls else rpc.add_insecure_port(where)
        return int(found)


class _Protocol(H11Protocol):
    """HTTP that does not wait for ever for the head of a request; for its body, the application has its own patience."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._watch()

    def _watch(self) -> None:
        """Give up in some seconds while no request is being answered."""
        waits = not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete)
        if waits and self._deadline is None:
            self._deadline = self.loop.call_later(_HEADER_SECONDS_MAX, self._give_up)
        elif not waits and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


def _config(site: Site) -> uvicorn.Config:
    return uvicorn.Config(
        site.app,
        http=_Protocol,
        h11_max_incomplete_event_size=_HEADER_BYTES_MAX,
        ssl_certfile=site.tls.certificate if site.tls else None,
        ssl_keyfile=site.tls.key if site.tls else None,
        server_header=False,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


def _taken(name: str, port: int, error: Exception) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return (
        f"Port {port} for {name} cannot be used: {reason}. Is another collector running? "
        "Stop it, or choose another port (see `spanledger up --help`)."
    )
