"""OTLP from others: tokens that stamp the tenant, TLS, limits, and what senders are told when they should come again."""

import datetime as dt
import ipaddress
import json
import logging
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from spanledger_collector import listening
from spanledger_collector.database import serving_of
from spanledger_collector.exceptions import UsageError
from spanledger_collector.listening import Tls
from spanledger_collector.operations import diagnosis
from spanledger_collector.receiver import commit
from spanledger_collector.receiver.door import Door
from spanledger_collector.server import Doorway, EmbeddedServer, set_fsync
from tests.otlp import SpanSpec, chat, key_values, request

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
ACME, GATEWAY = "acme-token-0123456789", "gateway-token-0123456789"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for 127.0.0.1, signed by itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(address, critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return Tls(folder / "cert.pem", folder / "key.pem")


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("tokens") / "tokens", f"# who may send\n{ACME} Acme Corp.\n\n{GATEWAY}\n")


@pytest.fixture(scope="module")
def server(new_store: Callable[[], Path], tokens: Path, certificate: Tls) -> Iterator[EmbeddedServer]:
    doorway = Doorway("0.0.0.0", tokens, certificate)
    with EmbeddedServer(new_store(), otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0, doorway=doorway) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: EmbeddedServer) -> Iterator[Client]:
    with closing(server.database.client()) as client:
        yield client


@pytest.fixture
def recent() -> float:
    return float(int(time.time()) - 600)


@pytest.fixture
def trusting(certificate: Tls) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate.certificate))


Post = Callable[..., tuple[int, bytes, dict[str, str]]]


@pytest.fixture
def post(server: EmbeddedServer, trusting: ssl.SSLContext) -> Post:
    def posted(
        body: bytes, token: str = ACME, path: str = "/v1/traces", **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        names = {"Content-Type": "application/x-protobuf"} | shown | headers
        call = urllib.request.Request(server.otlp_http_url + path, body, names)  # noqa: S310 - our own, on loopback
        try:
            with urllib.request.urlopen(call, timeout=120, context=trusting) as answer:  # noqa: S310
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), dict(error.headers)

    return posted


def written(file: Path, text: str, mode: int = 0o600) -> Path:
    file.write_text(text)
    file.chmod(mode)
    return file


def tenant_of(client: Client, span: SpanSpec) -> str:
    rows = client.query("select tenant from calls where span_id = {id:String}", {"id": span.span_id}).result_rows
    assert len(rows) == 1
    return str(rows[0][0])


def claiming(recent: float) -> tuple[SpanSpec, bytes]:
    """A span that says that it is somebody else's, in each way there is."""
    span = chat(recent, extra={"spanledger.tenant": "evil", "tenant.id": "evil", "tenant_id": "evil"})
    return span, request([span], resource={"spanledger.tenant": "evil", "tenant.id": "evil"}).body


def test_a_span_is_the_tenants_whose_token_brought_it_whatever_it_says(
    post: Post, client: Client, recent: float
) -> None:
    span, body = claiming(recent)

    assert post(body)[0] == 200
    assert tenant_of(client, span) == "Acme Corp."
    kept = client.query(
        "select toString((ResourceAttributes, SpanAttributes)) from otel_traces where SpanId = {id:String}",
        {"id": span.span_id},
    )
    assert "evil" not in kept.result_rows[0][0]


def test_a_token_without_a_tenant_leaves_it_to_the_spans(post: Post, client: Client, recent: float) -> None:
    span = chat(recent, extra={"spanledger.tenant": "of the span"})

    assert post(request([span]).body, GATEWAY)[0] == 200
    assert tenant_of(client, span) == "of the span"


def test_tenants_share_an_insert_and_stay_apart(server: EmbeddedServer, client: Client, recent: float) -> None:
    from dataclasses import replace

    spans = [chat(recent, extra={"tenant.id": "said"}) for _ in range(4)]
    whose = ["a", "b", "", "a"]
    futures = [
        server.committer.submit(replace(request([span]), tenant=tenant))
        for span, tenant in zip(spans, whose, strict=True)
    ]

    assert [future.result().count for future in futures] == [0] * 4
    assert [tenant_of(client, span) for span in spans] == ["a", "b", "said", "a"]


def test_log_records_and_json_are_stamped_too(post: Post, client: Client, recent: float) -> None:
    message = ExportLogsServiceRequest()
    of_resource = message.resource_logs.add()
    of_resource.resource.attributes.extend(key_values({"tenant.id": "evil"}))
    record = of_resource.scope_logs.add().log_records.add(time_unix_nano=int(recent * 1e9))
    record.attributes.extend(key_values({"tenant_id": "evil", "kept": "yes"}))
    pairs = [{"key": "tenant.id", "value": {"stringValue": "evil"}}]
    times = {"startTimeUnixNano": str(int(recent * 1e9)), "endTimeUnixNano": str(int(recent * 1e9))}
    span = {"traceId": "ab" * 16, "spanId": "cd" * 8, "attributes": pairs, **times}
    document = {"resourceSpans": [{"resource": {"attributes": pairs}, "scopeSpans": [{"spans": [span]}]}]}

    assert post(message.SerializeToString(), path="/v1/logs")[0] == 200
    assert post(json.dumps(document).encode(), **{"Content-Type": "application/json"})[0] == 200
    stamped = {"spanledger.tenant": "Acme Corp."}
    logs = client.query("select ResourceAttributes, LogAttributes from otel_logs").result_rows
    spans = client.query(
        "select ResourceAttributes, SpanAttributes from otel_traces where SpanId = repeat('cd', 8)"
    ).result_rows
    assert logs == [(stamped, {"kept": "yes"})]
    assert spans == [(stamped, {})]


@pytest.mark.parametrize(
    "shown", ["", "Bearer ", "Bearer wrong-token-0123456789", f"Basic {ACME}", ACME, "Bearer \xe4"]
)
def test_without_a_known_token_nobody_sends(
    post: Post, shown: str, recent: float, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    code, answer, headers = post(request([chat(recent)]).body, "", **({"Authorization": shown} if shown else {}))

    assert (code, Status.FromString(answer).code, headers.get("www-authenticate")) == (401, 16, "Bearer")
    assert "wrong-token" not in caplog.text + answer.decode()
    assert ACME not in caplog.text + answer.decode()


def test_pages_of_other_origins_may_not_send_even_with_a_token(post: Post, recent: float) -> None:
    assert post(request([chat(recent)]).body, Origin="https://evil.example")[0] == 403


def test_grpc_speaks_tls_and_knows_the_tokens(
    server: EmbeddedServer, client: Client, certificate: Tls, recent: float
) -> None:
    span, body = claiming(recent)
    trusted = grpc.ssl_channel_credentials(certificate.certificate.read_bytes())

    with grpc.secure_channel(server.otlp_grpc_url.removeprefix("https://"), trusted) as channel:
        call = channel.unary_unary(TRACES)
        assert call(body, timeout=120, metadata=[("authorization", f"Bearer {ACME}")]) == b""
        with pytest.raises(grpc.RpcError) as failure:
            call(body, timeout=120, metadata=[("authorization", "Bearer wrong-token-0123456789")])

    assert failure.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert tenant_of(client, span) == "Acme Corp."


def test_commands_of_this_machine_have_a_way_in_without_tls(
    server: EmbeddedServer, client: Client, recent: float
) -> None:
    assert server.database.path
    serving = serving_of(server.database.path)
    assert serving
    span = chat(recent, extra={"tenant.id": "evil"})
    headers = {
        "Content-Type": "application/x-protobuf",
        "Authorization": f"Bearer {serving.token}",
        "spanledger-tenant": "Z%C3%BCrich",
    }

    call = urllib.request.Request(f"{serving.otlp_http_url}/v1/traces", request([span]).body, headers)  # noqa: S310
    urllib.request.urlopen(call, timeout=120).close()  # noqa: S310

    assert serving.otlp_http_url.startswith("http://127.0.0.1:")
    assert tenant_of(client, span) == "Zürich"
    del call.headers["Authorization"]
    with pytest.raises(urllib.error.HTTPError, match="401") as failure:
        urllib.request.urlopen(call, timeout=120)  # noqa: S310
    failure.value.close()


def test_the_doctor_tells_programs_the_way_in_that_is_theirs(server: EmbeddedServer) -> None:
    assert server.database.path
    serving = serving_of(server.database.path)
    assert serving

    found = [each.sentence for each in diagnosis.listening(server.database.path, serving)]
    right = diagnosis.environment(serving, {"OTEL_EXPORTER_OTLP_ENDPOINT": server.otlp_http_url})
    plain = diagnosis.environment(
        serving, {"OTEL_EXPORTER_OTLP_ENDPOINT": server.otlp_http_url.replace("https", "http")}
    )

    assert found[0].endswith(f" takes OTLP at {server.otlp_http_url}.")
    assert (right.state, plain.state) == ("ok", "warn")
    assert f"this collector takes OTLP/HTTP at {server.otlp_http_url}" in plain.sentence


def test_only_the_owner_may_say_for_which_tenant(post: Post, client: Client, recent: float) -> None:
    span = chat(recent)

    assert post(request([span]).body, **{"spanledger-tenant": "other"})[0] == 200
    assert tenant_of(client, span) == "Acme Corp."


def answers_of_a_full_collector(server: EmbeddedServer, post: Post, certificate: Tls, body: bytes) -> tuple[Any, ...]:
    """Return status and Retry-After of HTTP, code and retry delay of gRPC."""
    code, _, headers = post(body)
    trusted = grpc.ssl_channel_credentials(certificate.certificate.read_bytes())
    with (
        grpc.secure_channel(server.otlp_grpc_url.removeprefix("https://"), trusted) as channel,
        pytest.raises(grpc.RpcError) as failure,
    ):
        channel.unary_unary(TRACES)(body, timeout=120, metadata=[("authorization", f"Bearer {ACME}")])
    trailers = dict(failure.value.trailing_metadata())
    (detail,) = Status.FromString(trailers["grpc-status-details-bin"]).details
    delay = RetryInfo()
    assert detail.Unpack(delay)
    return code, headers.get("retry-after"), failure.value.code(), delay.retry_delay.seconds


def test_too_much_at_once_is_to_be_sent_again(
    server: EmbeddedServer, post: Post, certificate: Tls, recent: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "_WAITING_BYTES", -1)

    told = answers_of_a_full_collector(server, post, certificate, request([chat(recent)]).body)

    assert told == (429, "1", grpc.StatusCode.RESOURCE_EXHAUSTED, 1)


@pytest.mark.parametrize("error", [DatabaseError("the disk is full", code=243), RuntimeError("a surprise")])
def test_what_cannot_be_written_now_is_to_be_sent_again(
    server: EmbeddedServer,
    post: Post,
    certificate: Tls,
    recent: float,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(Door, "insert", fails)
    monkeypatch.setattr(Door, "keep_aside", fails)

    told = answers_of_a_full_collector(server, post, certificate, request([chat(recent)]).body)

    assert told == (503, "1", grpc.StatusCode.UNAVAILABLE, 1)


def test_a_sender_who_never_ends_its_headers_is_left(
    server: EmbeddedServer, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_HEADER_SECONDS_MAX", 0.2)
    address = "127.0.0.1", int(server.otlp_http_url.rpartition(":")[2])
    for said in (b"", b"POST /v1/traces HTTP/1.1\r\nHost: x\r\n", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /"):
        with (
            socket.create_connection(address, 10) as plain,
            trusting.wrap_socket(plain, server_hostname=address[0]) as sender,
        ):
            sender.sendall(said)
            while sender.recv(1000):  # until it is closed
                pass


def test_a_sender_who_never_ends_its_body_is_told_so(
    server: EmbeddedServer, recent: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spanledger_collector.receiver.http import Reading

    monkeypatch.setattr(Reading, "seconds_max", 0.2)
    assert server.database.path
    serving = serving_of(server.database.path)
    assert serving
    with socket.create_connection(("127.0.0.1", int(serving.otlp_http_url.rpartition(":")[2])), 10) as sender:
        head = f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ACME}\r\nContent-Length: 100\r\n"
        sender.sendall(f"{head}Content-Type: application/x-protobuf\r\n\r\nbegin".encode())
        assert sender.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_headers_have_a_limit(post: Post, recent: float) -> None:
    assert post(b"", x="y" * 30_000)[0] == 431
    # What does not fit the parser's own buffer is turned away there, unless it came in one piece.
    assert post(b"", x="y" * 100_000)[0] in {400, 431}


def test_a_body_that_says_it_is_too_large_is_not_read(post: Post) -> None:
    assert post(b"", **{"Content-Length": "65000000"})[0] == 413


def test_fsync_is_a_setting_of_each_table(server: EmbeddedServer, client: Client) -> None:
    counted = (
        "select countIf(engine_full like '%fsync_after_insert = 1%'), count() from system.tables "
        "where database = 'spanledger' and engine like '%MergeTree' and name not like '.%'"
    )

    set_fsync(server.database, on=True)
    on = client.query(counted).result_rows[0]
    set_fsync(server.database, on=False)

    assert on[0] == on[1] > 30
    assert client.query(counted).result_rows[0][0] == 0


def test_a_key_that_is_not_the_certificates_is_refused(certificate: Tls) -> None:
    with pytest.raises(UsageError, match="TLS cannot use"):
        Tls(certificate.certificate, certificate.certificate)
