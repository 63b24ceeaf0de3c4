"""A receiver of alerts as there are in the field: an HTTP server that keeps what it is told, and answers as it was asked to."""

import json
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypeVar, cast

from spanledger_collector.listening import Tls

__all__ = ["Hook", "secured", "wait_for"]

SECONDS = 90.0
T = TypeVar("T")


class Hook:
    """Context manager: listens on a port of 127.0.0.1 (0: a free one), as long as the block lasts."""

    def __init__(self, status: int = 200, port: int = 0, stall_seconds: float = 0.0) -> None:
        self.status, self.stall_seconds = status, stall_seconds
        self.refuses = b""  # what it does not take in a message, with a 400
        self.messages: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.refused = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        self._server.daemon_threads = True
        cast("Any", self._server).hook = self
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

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """What it was told, one after the other."""
        return [alert for message in list(self.messages) for alert in message["alerts"]]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook: Hook = cast("Any", self.server).hook
        body = self.rfile.read(int(self.headers["content-length"]))
        time.sleep(hook.stall_seconds)
        status = 400 if hook.refuses and hook.refuses in body else hook.status
        if status == 200:
            hook.messages.append(json.loads(body))
            hook.headers.append(dict(self.headers.items()))
        else:
            hook.refused += 1
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def secured(hook: Hook, tls: Tls) -> None:
    """Let a hook speak TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    server = hook._server
    server.socket = context.wrap_socket(server.socket, server_side=True)


def wait_for(what: Callable[[], T], seconds: float = SECONDS) -> T:
    """Return what is found once it is true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return found
