"""A model vendor on this machine: the OpenAI, Anthropic and OpenAI-compatible wire formats, with a bill of its own.

A request chooses its fate through the header `x-demo-case`:
plain, cached, reasoning, tool   an answer of that kind
e400, e401, e429, e500, ...      that status, never billed
echo                             a 400 whose text repeats the request, as some vendors' do
retry                            429 at the first attempt, then an answer
timeout                          an answer that comes too late for an impatient client, billed all the same
midstream                        a stream that breaks off, billed all the same
and, through `x-demo-usage`, the token counts to bill (a JSON object of `Meters`).
"""

import json
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, cast
from urllib.parse import urlsplit

from spanledger_collector.demo.bill import BillEntry, bill_entry
from spanledger_collector.demo.meters import Meters
from spanledger_collector.demo.wire import Reply, Request, unique_id
from spanledger_collector.demo.wire_anthropic import anthropic_error, messages
from spanledger_collector.demo.wire_openai import OPENAI_PATHS, openai_error
from spanledger_collector.exceptions import InputError

__all__ = ["VendorServer"]

THIRD_PARTY_HOST = "api.deepseek.com"
RETRY_AFTER_MS = 20
FRAMES_BEFORE_A_CUT = 3
QUIET_SECONDS_MAX = 10
LEAVING_SECONDS_MAX = 3.0


class VendorServer:
    """Context manager: serves on a free port of 127.0.0.1; knows what it received and what it billed."""

    def __init__(self, *, latency_seconds: float = 0.0, stall_seconds: float = 0.6) -> None:
        """`latency_seconds` passes before each answer, `stall_seconds` before one of the case `timeout`."""
        self.latency_seconds = latency_seconds
        self.stall_seconds = stall_seconds
        self.requests: list[Request] = []
        self._entries: list[BillEntry] = []
        self._answering = 0
        self._quiet = threading.Condition()
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.vendor = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="demo-vendor", daemon=True
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
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def bill(self) -> list[BillEntry]:
        """The bill so far, read when no request is being answered, so that a reply in hand is on it."""
        with self._quiet:
            if not self._quiet.wait_for(lambda: self._answering == 0, timeout=QUIET_SECONDS_MAX):
                raise TimeoutError(f"the vendor was still answering after {QUIET_SECONDS_MAX} s")
            return list(self._entries)

    def receive(self, request: Request) -> None:
        with self._quiet:
            self.requests.append(request)
            self._answering += 1

    def finish(self, entry: BillEntry | None) -> None:
        with self._quiet:
            if entry:
                self._entries.append(entry)
            self._answering -= 1
            self._quiet.notify_all()


class Server(ThreadingHTTPServer):
    """The listening socket; each connection gets a thread, because clients keep theirs open."""

    daemon_threads = True
    request_queue_size = 128
    vendor: VendorServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report a failure, except that a client hung up between two requests."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet

    def do_POST(self) -> None:
        """Answer one request, then bill it."""
        vendor = cast("Server", self.server).vendor
        at = datetime.now(UTC)
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        # A client that takes this server for its proxy sends the whole address.
        request = Request(urlsplit(self.path).path, headers, decoded(body))
        vendor.receive(request)
        entry = None
        try:
            reply = answer(request)
            time.sleep(vendor.stall_seconds if request.case == "timeout" else vendor.latency_seconds)
            # On a busy machine an impatient client is slow to leave: an answer that it will not read must not count as told.
            patience = time.monotonic() + LEAVING_SECONDS_MAX
            while request.case == "timeout" and not gone(self.connection) and time.monotonic() < patience:
                time.sleep(0.01)
            delivered = self.deliver(reply, cut=request.case == "midstream")
            if reply.meters:
                told = delivered and reply.tells_usage
                entry = bill_entry(reply, reply.meters, at=at, api_key=request.api_key, usage_told=told)
        finally:
            vendor.finish(entry)

    def deliver(self, reply: Reply, *, cut: bool) -> bool:
        """Send a reply; return whether all of it reached a client that was still there."""
        if gone(self.connection):
            self.close_connection = True
            return False
        try:
            self.send_head(reply)
            frames = reply.frames[:FRAMES_BEFORE_A_CUT] if cut and reply.streamed else reply.frames
            for frame in frames:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(frame), frame) if reply.streamed else frame)
            if cut:
                self.close_connection = True
            elif reply.streamed:
                self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()
        except OSError:  # the client hung up
            self.close_connection = True
            return False
        return not cut

    def send_head(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.streamed:
            self.send_header("content-type", "text/event-stream; charset=utf-8")
            self.send_header("transfer-encoding", "chunked")
        else:
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(sum(map(len, reply.frames))))
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Stay silent: the vendor's log is its bill."""


def gone(connection: socket.socket) -> bool:
    """Return whether the client has closed its side. (`select` would not do: it refuses descriptors above 1023.)"""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def decoded(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body, an empty one when it is none."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def answer(request: Request) -> Reply:
    """Return what the vendor answers to a request."""
    refusal = refused(request)
    if refusal:
        return refusal
    anthropic = request.path.endswith("/messages")
    try:
        meters = meters_of(request)
    except (InputError, ValueError) as error:
        return failure(request, 400, str(error))
    if anthropic:
        return identified(messages(request, "anthropic", meters))
    base, _, _ = request.path.partition("/v1/")
    endpoint = request.path.removeprefix(base + "/v1")
    third_party = base == "/compatible" or request.headers.get("host") == THIRD_PARTY_HOST
    provider = "deepseek" if third_party else "openai"
    return identified(OPENAI_PATHS[endpoint](request, provider, meters))


def refused(request: Request) -> Reply | None:
    """Return an error when the request asks for one or cannot be served."""
    if not request.api_key:
        return failure(request, 401, "no API key was sent")
    known = request.path.endswith(("/v1/messages", *("/v1" + path for path in OPENAI_PATHS)))
    if not known:
        return failure(request, 404, f"nothing is served at {request.path}")
    if not isinstance(request.body.get("model"), str):
        return failure(request, 400, "the body names no model")
    if request.case[:1] == "e" and request.case[1:].isdigit():
        return failure(request, int(request.case[1:]), f"the demo was asked for a {request.case[1:]}")
    return ill_fated(request)


def ill_fated(request: Request) -> Reply | None:
    """Return the error of a case that ends in one, though not in a status that the request names."""
    if request.case == "echo":
        return failure(request, 400, f"cannot be served: {json.dumps(request.body)}")
    if request.case == "retry" and request.attempt == 1:
        return failure(request, 429, "too many requests; try again soon")
    return None


def meters_of(request: Request) -> Meters:
    """Return the token counts to bill; raises InputError or ValueError."""
    counts = request.headers.get("x-demo-usage")
    if counts:
        return Meters.from_json(json.loads(counts))
    return Meters.usual(request.case, has_output=not request.path.endswith("/embeddings"))


def failure(request: Request, status: int, message: str) -> Reply:
    """Return an error in the words of the vendor; what may be tried again soon says when."""
    error = anthropic_error if request.path.endswith("/messages") else openai_error
    headers = {"retry-after-ms": str(RETRY_AFTER_MS)} if status == 429 or status >= 500 else {}
    return identified(Reply(status, [error(status, message)], headers=headers))


def identified(reply: Reply) -> Reply:
    """Return the reply with a request id, under the names of both vendors."""
    request_id = unique_id("req_")
    reply.headers.update({"x-request-id": request_id, "request-id": request_id})
    return reply
