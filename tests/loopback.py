"""An HTTP server of a test, on this machine: what others are to the thing under test."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, cast

from spanledger_collector.listening import Tls

__all__ = ["Handler", "Loopback"]


class Loopback:
    """Context manager: serves on a port of 127.0.0.1 (0: a free one), over TLS if it has a certificate, as long as the block lasts."""

    def __init__(self, handler: type["Handler"], port: int = 0, tls: Tls | None = None) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        cast("Any", self._server).owner = self
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])


class Handler(BaseHTTPRequestHandler):
    """One connection of it; ``owner`` is the server that it belongs to."""

    @property
    def owner(self) -> Any:
        return cast("Any", self.server).owner

    def log_message(self, *_: object) -> None:
        """Say nothing."""
