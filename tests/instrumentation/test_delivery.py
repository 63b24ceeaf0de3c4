"""Delivery: bounded, patient, honest about losses, and never in anybody's way. Real sockets, real answers."""

from __future__ import annotations

import logging
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import grpc
import pytest
import requests.adapters
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess as PartialSuccess
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from spanledger.delivery import Delivery
from spanledger.health import SignalStats
from spanledger.otlp import Limits
from spanledger.otlp_grpc import GrpcSender
from spanledger.otlp_http import HttpSender
from spanledger.settings import settings_from
from tests.instrumentation.grpc_ledger import GrpcLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

UNCONFIRMED = "spanledger: {} spans were sent to {}/v1/traces, but it did not confirm in time; they are probably stored"
PROTOBUF = {"content-type": "application/x-protobuf"}


class Reply(NamedTuple):
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


class Endpoint:
    """Context manager: answers with the replies in turn, then with 200, and keeps the bodies."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.bodies: list[bytes] = []
        self.times: list[float] = []
        self.gate = threading.Event()
        self.gate.set()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                endpoint.times.append(time.monotonic())
                body = self.rfile.read(int(self.headers["content-length"]))
                endpoint.gate.wait(20)
                reply = endpoint.replies.pop(0) if endpoint.replies else Reply()
                endpoint.bodies.append(body)
                self.send_response(reply.status)
                for key, value in reply.headers.items():
                    self.send_header(key, value)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()


def encode(batch: Sequence[str]) -> bytes:
    if "exotic" in batch:
        raise ValueError("cannot be encoded")
    return ",".join(batch).encode()


@pytest.fixture
def deliver() -> Iterator[Callable[..., Delivery[str]]]:
    queues: list[Delivery[str]] = []

    def to(url: str, **options: Any) -> Delivery[str]:
        settings = settings_from({}, {"endpoint": url})
        options.setdefault("delay_s", 0.01)
        queues.append(
            Delivery("spans", encode, lambda: HttpSender(settings, "spans"), url=settings.traces_url, **options)
        )
        return queues[-1]

    yield to
    for queue in queues:
        end(queue)


def end(queue: Delivery[str], timeout_s: float = 0.05) -> None:
    queue.begin_close(timeout_s, timeout_s)
    queue.end_close()


def until(condition: Callable[[], bool]) -> None:
    patience = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.002)


def test_what_is_queued_is_delivered_once_and_counted(deliver: Callable[..., Delivery[str]]) -> None:
    with Endpoint() as endpoint:
        queue = deliver(endpoint.url, batch_items_max=2)
        for item in "abcde":
            queue.put(item)

        assert queue.flush(10)
        assert b",".join(endpoint.bodies) == b"a,b,c,d,e"
        assert queue.health.stats() == SignalStats(delivered_items=5)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_an_overloaded_endpoint_gets_the_same_bytes_again(
    status: int, deliver: Callable[..., Delivery[str]], caplog: pytest.LogCaptureFixture
) -> None:
    with Endpoint(Reply(status), Reply(status)) as endpoint:
        queue = deliver(endpoint.url)
        queue.put("a")

        until(lambda: queue.health.stats().delivered_items == 1)
        assert endpoint.bodies == [b"a"] * 3
        assert queue.health.stats() == SignalStats(delivered_items=1, failed_attempts=2)
        assert caplog.records == []  # nothing is lost, and it was over soon


@pytest.mark.parametrize("retry_after", ["1", "date"])
def test_an_endpoint_that_says_when_to_come_back_is_left_alone_until_then(
    retry_after: str, deliver: Callable[..., Delivery[str]]
) -> None:
    text = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2)) if retry_after == "date" else "1"
    with Endpoint(Reply(429, {"retry-after": text})) as endpoint:
        queue = deliver(endpoint.url)
        queue.put("a")

        until(lambda: len(endpoint.times) == 1)
        queue.flush(0)  # not even a flush shortens it
        until(lambda: queue.health.stats().delivered_items == 1)
        assert endpoint.times[1] - endpoint.times[0] >= 0.9


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(400, PROTOBUF, Status(message="span 3 has no id").SerializeToString()), "HTTP 400: span 3 has no id"),
        (Reply(401, {}, b"token\n expired"), "HTTP 401: token expired"),
        (Reply(404), "HTTP 404"),
        (Reply(301, {"location": "http://elsewhere/"}), "HTTP 301"),
    ],
)
def test_a_refusal_is_final_and_told_once_with_the_servers_words(
    reply: Reply, said: str, deliver: Callable[..., Delivery[str]], caplog: pytest.LogCaptureFixture
) -> None:
    with Endpoint(reply, reply) as endpoint:
        queue = deliver(endpoint.url)
        for item in "ab":
            queue.put(item)
            assert queue.flush(60)

        assert endpoint.bodies == [b"a", b"b"]
        assert queue.health.stats() == SignalStats(dropped_items={"refused": 2}, failed_attempts=2)
        assert [record.getMessage() for record in caplog.records] == [
            f"spanledger: {endpoint.url}/v1/traces refuses spans: {said}"
        ]


def test_a_partial_success_is_counted_told_and_not_sent_again(
    deliver: Callable[..., Delivery[str]], caplog: pytest.LogCaptureFixture
) -> None:
    partial = ExportTraceServiceResponse(partial_success=PartialSuccess(rejected_spans=1, error_message="too old"))
    with Endpoint(Reply(200, PROTOBUF, partial.SerializeToString())) as endpoint:
        queue = deliver(endpoint.url, delay_s=0.3)
        for item in "abc":
            queue.put(item)

        assert queue.flush(10)
        assert len(endpoint.bodies) == 1
        assert queue.health.stats() == SignalStats(delivered_items=2, dropped_items={"rejected": 1})
        assert caplog.messages == [f"spanledger: {endpoint.url}/v1/traces took 2 of 3 spans: too old"]


def test_a_batch_that_is_too_large_goes_out_in_halves(deliver: Callable[..., Delivery[str]]) -> None:
    with Endpoint(Reply(413), Reply(413)) as endpoint:
        queue = deliver(endpoint.url, delay_s=0.3)
        for item in "abcd":
            queue.put(item)

        assert queue.flush(10)
        assert endpoint.bodies == [b"a,b,c,d", b"a,b", b"a", b"b", b"c,d"]
        assert queue.health.stats() == SignalStats(delivered_items=4)


def test_an_item_that_cannot_be_encoded_costs_no_other(
    deliver: Callable[..., Delivery[str]], caplog: pytest.LogCaptureFixture
) -> None:
    with Endpoint() as endpoint:
        queue = deliver(endpoint.url, delay_s=0.3)
        for item in ("a", "exotic", "b", "c"):
            queue.put(item)

        assert queue.flush(10)
        assert b",".join(endpoint.bodies) == b"a,b,c"
        assert queue.health.stats() == SignalStats(delivered_items=3, dropped_items={"not_encodable": 1})
        assert caplog.messages == ["spanledger: one of the spans cannot be encoded"]


def test_a_full_queue_loses_the_newest_and_counts_them_and_put_returns(
    deliver: Callable[..., Delivery[str]], caplog: pytest.LogCaptureFixture
) -> None:
    with Endpoint() as endpoint:
        endpoint.gate.clear()  # the worker is stuck in its first request until the gate opens
        queue = deliver(endpoint.url, queue_items_max=3)
        queue.put("first")
        until(lambda: len(endpoint.times) == 1)
        for item in "abcde":
            queue.put(item)

        assert queue.queued_items == 4
        endpoint.gate.set()
        assert queue.flush(10)
        assert b",".join(endpoint.bodies) == b"first,a,b,c"
        assert queue.health.stats() == SignalStats(delivered_items=4, dropped_items={"queue_full": 2})
        assert caplog.messages == ["spanledger: the queue of spans is full, new ones are lost"]


def test_eight_threads_lose_no_count(deliver: Callable[..., Delivery[str]]) -> None:
    with Endpoint() as endpoint:
        queue = deliver(endpoint.url, queue_items_max=100, batch_items_max=50)

        def hurry() -> None:
            for _ in range(2000):
                queue.put("x")

        threads = [threading.Thread(target=hurry) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert queue.flush(10)
        stats = queue.health.stats()
        assert stats.delivered_items + sum(stats.dropped_items.values()) == 16_000
        assert b",".join(endpoint.bodies).count(b"x") == stats.delivered_items


def refused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_an_outage_loses_nothing_that_fits_in_the_queue_and_is_told_once(
    deliver: Callable[..., Delivery[str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "spanledger")
    with Endpoint(*[Reply(503, {}, b"full disk")] * 5) as endpoint:
        queue = deliver(endpoint.url, delay_s=0.001)
        for item in "abc":
            queue.put(item)

        until(lambda: queue.health.stats().delivered_items == 3)
        assert queue.health.stats().dropped_items == {}
        first, last = caplog.messages
        assert first.startswith(f"spanledger: cannot deliver to {endpoint.url}/v1/traces (HTTP 503: full disk); calls")
        assert last == f"spanledger: delivery to {endpoint.url}/v1/traces works again"


@pytest.mark.parametrize("url", [refused_url(), "http://nowhere.invalid:4318"], ids=["refused", "unknown host"])
def test_attempts_grow_rarer_and_the_end_says_what_is_lost(
    url: str, deliver: Callable[..., Delivery[str]], caplog: pytest.LogCaptureFixture
) -> None:
    queue = deliver(url, delay_s=0.05)
    for item in "abc":
        queue.put(item)

    assert queue.flush(10) is False
    end(queue, 5.0)
    assert queue.health.stats().dropped_items == {"exit": 3}
    assert queue.health.stats().failed_attempts < 6
    (last,) = [message for message in caplog.messages if "are lost" in message]
    assert last.startswith(f"spanledger: 3 spans could not be delivered to {url}/v1/traces and are lost (")


def test_an_endpoint_that_never_answers_holds_neither_the_caller_nor_the_end(
    deliver: Callable[..., Delivery[str]], caplog: pytest.LogCaptureFixture
) -> None:
    with Endpoint() as endpoint:
        endpoint.gate.clear()
        queue = deliver(endpoint.url)
        queue.put("a")
        until(lambda: len(endpoint.times) == 1)

        assert queue.flush(0.05) is False
        end(queue, 0.1)  # the endpoint stays silent for 20 s
        assert not endpoint.gate.is_set()
        assert endpoint.bodies == []
        assert queue.health.stats() == SignalStats(unconfirmed_items=1)
        assert caplog.messages == [UNCONFIRMED.format(1, endpoint.url)]


def test_a_name_server_that_hangs_holds_neither_the_caller_nor_the_end(
    deliver: Callable[..., Delivery[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = threading.Event(), threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        asked.set()
        answered.wait(20)
        raise socket.gaierror("the name server is back, and knows nothing")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    queue = deliver("http://ledger.example:4318")
    queue.put("a")
    assert asked.wait(20)

    end(queue, 0.05)
    assert not answered.is_set()
    assert queue.health.stats().dropped_items == {"exit": 1}
    answered.set()


def test_a_sender_that_fails_in_a_new_way_is_tried_again(
    deliver: Callable[..., Delivery[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = requests.adapters.HTTPAdapter.send
    raised: list[Exception] = []

    def broken(self: Any, *given: Any, **options: Any) -> Any:
        if not raised:
            raised.append(RuntimeError("a bug in some layer"))
            raise raised[0]
        return send(self, *given, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", broken)
    with Endpoint() as endpoint:
        queue = deliver(endpoint.url)
        queue.put("a")
        until(lambda: queue.health.stats().delivered_items == 1)

        assert queue.health.stats().failed_attempts == 1
        assert endpoint.bodies == [b"a"]


def grpc_answers(*refusals: tuple[grpc.StatusCode, str]) -> list[tuple[str, str]]:
    """Return what attempts over gRPC come to when the server begins with these refusals."""
    with GrpcLedger() as ledger:
        ledger.refusals = list(refusals)
        sender = GrpcSender(settings_from({}, {"endpoint": ledger.url, "protocol": "grpc"}), "spans")
        answers = [sender.send(b"", Limits(), lambda: None) for _ in range(len(refusals) + 1)]
        sender.close()
    return [(answer.kind, answer.message) for answer in answers]


def test_grpc_tells_refusals_from_troubles() -> None:
    code = grpc.StatusCode

    assert grpc_answers(
        (code.UNAVAILABLE, "busy"), (code.RESOURCE_EXHAUSTED, "5 MB"), (code.UNAUTHENTICATED, "no token")
    ) == [
        ("retry", "gRPC UNAVAILABLE: busy"),
        ("too_large", "gRPC RESOURCE_EXHAUSTED: 5 MB"),
        ("refused", "gRPC UNAUTHENTICATED: no token"),
        ("delivered", ""),
    ]


def test_grpc_sends_the_settings_headers_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=of-another-back-end")
    with GrpcLedger() as ledger:
        given = {"endpoint": ledger.url, "protocol": "grpc", "headers": {"Authorization": "Bearer x"}}
        sender = GrpcSender(settings_from({}, given), "spans")
        sender.send(b"", Limits(), lambda: None)
        sender.close()

        ((metadata, _),) = ledger.received
        assert metadata["authorization"] == "Bearer x"
        assert "api-key" not in metadata
