"""A receiver of alerts as there are in the field: an HTTP server that keeps what it is told, and answers as it was asked to."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from spanledger_collector.listening import Tls
from tests.loopback import Handler, Loopback

__all__ = ["Hook", "wait_for"]

SECONDS = 90.0
T = TypeVar("T")


class Hook(Loopback):
    def __init__(self, status: int = 200, port: int = 0, stall_seconds: float = 0.0, tls: Tls | None = None) -> None:
        super().__init__(_Handler, port, tls)
        self.status, self.stall_seconds = status, stall_seconds
        self.refuses = b""  # what it does not take in a message, with a 400
        self.messages: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.refused = 0

    @property
    def url(self) -> str:
        return f"{self.origin}/hook"

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """What it was told, one after the other."""
        return [alert for message in list(self.messages) for alert in message["alerts"]]


class _Handler(Handler):
    def do_POST(self) -> None:  # noqa: N802 - http.server's name
        hook: Hook = self.owner
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


def wait_for(what: Callable[[], T], seconds: float = SECONDS) -> T:
    """Return what is found once it is true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return found
