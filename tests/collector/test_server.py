"""The embedded collector as its senders see it: OTLP over HTTP and gRPC, an answer only after the write, bad requests alone."""

import gzip
import os
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import grpc
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from spanledger_collector.exceptions import StoreError, StoreInUseError
from spanledger_collector.receiver import grpc_server
from spanledger_collector.server import EmbeddedServer
from tests.otlp import chat, request

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@pytest.fixture(scope="module")
def server(new_store: Callable[[], Path]) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(new_store(), otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0) as server:
        yield server


@pytest.fixture
def recent() -> float:
    return time.time() - 600


def post(server: EmbeddedServer, body: bytes, path: str = "/v1/traces", **headers: str) -> tuple[int, bytes]:
    names = {"Content-Type": "application/x-protobuf"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    call = urllib.request.Request(server.otlp_http_url + path, body, names)  # noqa: S310 - our own, on loopback
    try:
        with urllib.request.urlopen(call, timeout=120) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def landed(server: EmbeddedServer, span_id: str) -> int:
    with closing(server.database.client()) as client:
        return int(
            client.query("select count() from otel_traces where SpanId = {id:String}", {"id": span_id}).result_rows[0][
                0
            ]
        )


def test_a_span_is_stored_when_the_answer_comes(server: EmbeddedServer, recent: float) -> None:
    span = chat(recent)

    assert post(server, request([span]).body) == (200, b"")
    assert landed(server, span.span_id) == 1


def test_grpc_stores_before_it_answers(server: EmbeddedServer, recent: float) -> None:
    span = chat(recent)

    with grpc.insecure_channel(server.otlp_grpc_url.removeprefix("http://")) as channel:
        assert channel.unary_unary(TRACES)(request([span]).body, timeout=120) == b""
    assert landed(server, span.span_id) == 1


def test_a_compressed_body_is_unpacked(server: EmbeddedServer, recent: float) -> None:
    span = chat(recent)

    assert post(server, gzip.compress(request([span]).body), Content_Encoding="gzip")[0] == 200
    assert landed(server, span.span_id) == 1


def test_every_member_of_a_gzip_body_is_read(server: EmbeddedServer, recent: float) -> None:
    spans = [[chat(recent, extra={"x.noise": os.urandom(40_000).hex()})] for _ in range(3)]
    body = b"".join(gzip.compress(request(group).body) for group in spans)

    assert post(server, body, Content_Encoding="gzip")[0] == 200
    assert len(body) > 64_000
    assert [landed(server, group[0].span_id) for group in spans] == [1, 1, 1]


@pytest.mark.parametrize(
    ("body", "headers", "complaint"),
    [
        (b"garbage", {}, "byte 0 starts no resource entry"),
        (request([chat(1.7e9)]).body[:-3], {}, "cut off"),
        (b"\x0a", {}, "cut off inside a length"),
        (gzip.compress(b"x" * 100, mtime=0)[:-9], {"Content_Encoding": "gzip"}, "cut off"),
        (b"not gzip", {"Content_Encoding": "gzip"}, "not valid gzip"),
        (b"x", {"Content_Encoding": "br"}, "'br' is not supported"),
    ],
)
def test_a_bad_body_is_answered_with_400_and_why(
    server: EmbeddedServer, body: bytes, headers: dict[str, str], complaint: str
) -> None:
    code, answer = post(server, body, **headers)

    status = Status.FromString(answer)
    assert (code, status.code) == (400, 3)
    assert complaint in status.message


def test_bad_json_is_answered_in_json(server: EmbeddedServer) -> None:
    code, answer = post(server, b'{"resourceSpans": [', Content_Type="application/json")

    assert code == 400
    assert answer.startswith(b'{"code": 3, "message": "The body is not JSON')


def test_grpc_names_what_was_kept_aside_and_takes_the_rest(server: EmbeddedServer, recent: float) -> None:
    with grpc.insecure_channel(server.otlp_grpc_url.removeprefix("http://")) as channel:
        answer = channel.unary_unary(TRACES)(request([chat(recent), chat(5.0)]).body, timeout=120)

    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert (partial.rejected_spans, partial.error_message) == (1, "Kept aside: starts before the ledger's retention.")


@pytest.mark.parametrize(
    ("size", "packed", "metadata"),
    [
        (64_000_001, grpc.Compression.NoCompression, ()),
        (64_000_001, grpc.Compression.Gzip, ()),
        (10, grpc.Compression.NoCompression, (("x-large", "y" * 30_000),)),
    ],
)
def test_grpc_does_not_want_again_what_is_too_large(
    server: EmbeddedServer, size: int, packed: grpc.Compression, metadata: tuple[tuple[str, str], ...]
) -> None:
    options = [("grpc.max_send_message_length", -1)]
    with (
        grpc.insecure_channel(server.otlp_grpc_url.removeprefix("http://"), options) as channel,
        pytest.raises(grpc.RpcError) as failure,
    ):
        channel.unary_unary(TRACES)(bytes(size), timeout=120, compression=packed, metadata=metadata)

    assert failure.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    # Without RetryInfo, a sender does not send again what exhausted a resource.
    assert "grpc-status-details-bin" not in dict(failure.value.trailing_metadata() or ())


def test_a_grpc_sender_whose_message_does_not_come_is_given_up_and_costs_the_others_nothing(
    server: EmbeddedServer, recent: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_server, "_MESSAGE_SECONDS_MAX", 1.0)
    over = threading.Event()

    def never() -> Iterator[bytes]:
        over.wait(30)
        yield b""

    with grpc.insecure_channel(server.otlp_grpc_url.removeprefix("http://")) as channel:
        waiting = [channel.stream_unary(TRACES).future(never(), timeout=120) for _ in range(50)]
        answer = channel.unary_unary(TRACES)(request([chat(recent)]).body, timeout=120)
        codes = {call.code() for call in waiting}
        over.set()

    assert (answer, codes) == (b"", {grpc.StatusCode.DEADLINE_EXCEEDED})


def test_grpc_says_invalid_argument(server: EmbeddedServer) -> None:
    with (
        grpc.insecure_channel(server.otlp_grpc_url.removeprefix("http://")) as channel,
        pytest.raises(grpc.RpcError) as failure,
    ):
        channel.unary_unary(TRACES)(b"garbage", timeout=120)

    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceSpans": "x"}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"key": "a", "value": {"boolValue": "maybe"}}]}, "scopeSpans": []}]}',
        '{"resourceSpans": []}'.encode("utf-16"),
        b"[" * 5000,
    ],
)
def test_bad_json_is_the_senders_fault_and_nobody_elses(server: EmbeddedServer, body: bytes) -> None:
    good = b'{"resourceSpans": []}'

    with ThreadPoolExecutor(5) as pool:
        codes = list(
            pool.map(lambda one: post(server, one, Content_Type="application/json")[0], [good, good, body, good, good])
        )

    assert codes == [200, 200, 400, 200, 200]


def test_a_request_that_only_the_database_finds_bad_costs_the_others_nothing(
    server: EmbeddedServer, recent: float
) -> None:
    wrong_wire_type = b"\x0a\x06\x12\x04\x12\x02\x0a\x7f"  # a span whose trace id is longer than the span
    good = [chat(recent) for _ in range(12)]
    bodies = [request([span]).body for span in good]
    bodies[6:6] = [wrong_wire_type]

    with ThreadPoolExecutor(13) as pool:
        codes = list(pool.map(lambda body: post(server, body)[0], bodies))

    assert codes == [200] * 6 + [400] + [200] * 6
    assert [landed(server, span.span_id) for span in good] == [1] * 12


def test_other_types_of_content_and_foreign_hosts_are_turned_away(server: EmbeddedServer) -> None:
    assert post(server, b"", Content_Type="text/plain")[0] == 415
    assert post(server, b"", Host="evil.example")[0] == 403
    assert post(server, b"", Origin="https://evil.example")[0] == 403


def test_metrics_are_accepted_counted_and_not_kept(server: EmbeddedServer) -> None:
    before = server.metrics.requests

    assert post(server, b"\x0a\x00", "/v1/metrics")[0] == 200
    assert server.metrics.requests == before + 1


def test_many_senders_share_few_inserts(server: EmbeddedServer, recent: float) -> None:
    spans = [chat(recent) for _ in range(40)]

    with closing(server.database.client()) as client:
        count = "select count() from system.parts where table = 'otel_traces' and database = 'spanledger'"
        before = int(client.query(count).result_rows[0][0])
        with ThreadPoolExecutor(40) as pool:
            assert {code for code, _ in pool.map(lambda span: post(server, request([span]).body), spans)} == {200}
        after = int(client.query(count).result_rows[0][0])

    assert after - before < 20


def test_what_was_sent_shows_in_the_views_by_itself(server: EmbeddedServer, recent: float) -> None:
    post(server, request([chat(recent, extra={"spanledger.team": "fresh"})]).body)

    with closing(server.database.client()) as client:
        for _ in range(200):
            rows = client.query("select sum(calls) as n from cost_by_team as c where team = 'fresh'").result_rows
            if rows[0][0]:
                break
            time.sleep(0.1)

    assert rows == [(1,)]


def test_a_sender_that_leaves_takes_nothing_back_and_no_backup_waits_for_it(
    server: EmbeddedServer, recent: float
) -> None:
    stored, span = server.committer.requests["traces", "stored"], chat(recent)

    future = server.committer.submit(request([span]))
    assert not future.cancel()  # what gRPC does when a client's time is up
    with server.committer.held():
        assert landed(server, span.span_id) == 1
        assert server.committer.requests["traces", "stored"] == stored + 1


def test_a_port_in_use_is_one_clear_sentence(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StoreError, match=f"Port {port} for OTLP/HTTP cannot be used"):
            EmbeddedServer(
                tmp_path_factory.mktemp("other"), otlp_http_port=port, otlp_grpc_port=0, clickhouse_port=0
            ).start()


def test_a_store_that_is_served_cannot_be_opened_again(server: EmbeddedServer) -> None:
    path = server.database.path
    assert path is not None
    with pytest.raises(StoreInUseError, match="is in use by process"):
        EmbeddedServer(path, otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0).start()


def test_closing_writes_what_was_taken(tmp_path_factory: pytest.TempPathFactory, recent: float) -> None:
    pytest.importorskip("chdb")
    from spanledger_collector.quarantine import Rejected
    from spanledger_collector.receiver.commit import Committer
    from spanledger_collector.receiver.door import OtlpRequest

    written: list[OtlpRequest] = []

    class SlowDoor:
        def insert(self, requests: list[OtlpRequest]) -> dict[int, Rejected]:
            time.sleep(0.2)
            written.extend(requests)
            return {}

        def close(self) -> None:
            written.append(OtlpRequest("traces", "protobuf", b"closed"))

    committer = Committer(SlowDoor, threading.Event().set)  # type: ignore[arg-type]  # a door that writes to a list
    futures = [committer.submit(request([chat(recent)])) for _ in range(3)]
    committer.close()

    assert all(future.done() and future.exception() is None for future in futures)
    assert [item.body for item in written][-1] == b"closed"
    assert len(written) == 4
