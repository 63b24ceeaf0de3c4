"""A vendor on this machine for the wire formats that the demo's vendor does not speak: routes by the end of the path."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class WireRequest:
    path: str
    headers: dict[str, str] = field(repr=False)
    body: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    body: bytes
    content_type: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(value: object, **headers: str) -> Answer:
    return Answer(json.dumps(value).encode(), headers=headers)


def sse_answer(*values: object) -> Answer:
    events = (b"data: " + json.dumps(value).encode() + b"\r\n\r\n" for value in values)
    return Answer(b"".join(events), "text/event-stream")


class WireServer:
    """Context manager: serves on a free port of 127.0.0.1 and keeps the requests that came."""

    def __init__(self, routes: Mapping[str, Callable[[WireRequest], Answer]]) -> None:
        self.requests: list[WireRequest] = []
        self.routes = dict(routes)
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = WireRequest(unquote(urlsplit(self.path).path), headers, json.loads(body or b"{}"))
                server.requests.append(request)
                route = next((route for end, route in server.routes.items() if request.path.endswith(end)), None)
                answer = route(request) if route else Answer(b'{"message": "no such path"}', status=404)
                self.send_response(answer.status)
                more = {"content-type": answer.content_type, "content-length": str(len(answer.body))}
                for name, value in {**more, **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
