"""On-call in the demo: a webhook on this machine that keeps what it is told."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, cast

__all__ = ["OnCall"]


class OnCall:
    """Context manager: listens on a free port of 127.0.0.1; knows each alert that it was told, with when."""

    def __init__(self) -> None:
        self._told = threading.Condition()
        self._alerts: list[tuple[float, dict[str, Any]]] = []
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.oncall = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="demo-oncall", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/alerts"

    def receive(self, alerts: list[dict[str, Any]]) -> None:
        with self._told:
            self._alerts += [(time.monotonic(), alert) for alert in alerts]
            self._told.notify_all()

    def wait(self, seconds: float, *, since: float) -> list[dict[str, Any]]:
        """Return the alerts about money that it was told since, as soon as there is one; empty when there is none in that time."""
        with self._told:
            self._told.wait_for(lambda: self.alerts(since), timeout=seconds)
            return self.alerts(since)

    def alerts(self, since: float) -> list[dict[str, Any]]:
        return [alert for at, alert in self._alerts if at >= since and alert["status"] == "firing"]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    oncall: OnCall


class Handler(BaseHTTPRequestHandler):
    """One message of the collector."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        cast("Server", self.server).oncall.receive(json.loads(body)["alerts"])
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing: the demo prints what matters."""
