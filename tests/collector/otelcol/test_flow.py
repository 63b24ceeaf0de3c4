"""SDK, agent, gateway, ledger: the same money as the embedded path, whose it is, and no word of a prompt."""

import hmac
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace.export import SpanExportResult

from spanledger_collector.database import open_embedded
from spanledger_collector.refresh import settle
from spanledger_collector.server import EmbeddedServer
from tests.collector.otelcol.processes import (
    ACME,
    GLOBEX,
    TRUSTED,
    USER_KEY,
    Process,
    Site,
    eventually,
    free_port,
    served,
)
from tests.collector.otelcol.spans import EMITTED, SECRET, USER, log_events, sdk_spans
from tests.otlp import chat, request

pytestmark = pytest.mark.e2e
PSEUDONYM = hmac.digest(USER_KEY.encode(), USER.encode(), "sha256").hex()
CALLS = len(EMITTED) + 1 + 1  # one failed, one told as a log event
RECORDS = 4


def rows(server: EmbeddedServer, sql: str) -> list[tuple[Any, ...]]:
    with closing(server.database.client()) as client:
        return [tuple(row) for row in client.query(sql).result_rows]


def landed(server: EmbeddedServer) -> tuple[int, int]:
    return (
        rows(server, "select uniqExact(SpanId) from otel_traces where ScopeName != 'a.web.framework'")[0][0],
        rows(server, "select count() from otel_logs")[0][0],
    )


def calls_in(store: Path) -> list[dict[str, Any]]:
    with closing(open_embedded(store)) as database, closing(database.client()) as client:
        settle(client)
        found = client.query("select * from calls order by ts, span_id")
        return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]


def send_directly(server: EmbeddedServer, start: float) -> None:
    headers = {"authorization": f"Bearer {ACME}"}
    exporter = HttpExporter(endpoint=f"{server.otlp_http_url}/v1/traces", headers=headers)
    assert exporter.export(sdk_spans_once(start)) is SpanExportResult.SUCCESS
    call = urllib.request.Request(
        f"{server.otlp_http_url}/v1/logs", log_events(start), {**headers, "Content-Type": "application/x-protobuf"}
    )
    urllib.request.urlopen(call, timeout=60).close()
    exporter.shutdown()


_made: dict[float, Any] = {}


def sdk_spans_once(start: float) -> Any:
    """Return the same spans with the same ids for both ways."""
    return _made.setdefault(start, sdk_spans(start, tenant="Mallory"))


def send_by_agent(agent: Process, start: float) -> None:
    exporter = GrpcExporter(endpoint=f"127.0.0.1:{agent.ports['GRPC']}", insecure=True)
    assert exporter.export(sdk_spans_once(start)) is SpanExportResult.SUCCESS
    exporter.shutdown()
    call = urllib.request.Request(
        f"http://127.0.0.1:{agent.ports['HTTP']}/v1/logs",
        log_events(start, tenant="Mallory"),
        {"Content-Type": "application/x-protobuf"},
    )
    urllib.request.urlopen(call, timeout=60).close()


def test_agent_and_gateway_bring_the_money_of_the_embedded_path_and_no_content(
    site: Site, running: list[Process], new_store: Callable[[], Path], recently: float
) -> None:
    direct, through, port = new_store(), new_store(), free_port()
    with served(direct, port, site.tokens()) as server:
        send_directly(server, recently)
        eventually(lambda: landed(server)[0] >= CALLS, "what was sent directly")
    expected = calls_in(direct)
    gateway = site.gateway(port)
    agent = site.agent(gateway, ACME)
    with served(through, port) as server:
        for process in (gateway, agent):
            running.append(process)
            process.start()
        send_by_agent(agent, recently)
        eventually(lambda: landed(server) == (CALLS, RECORDS), "what was sent to the agent")
        secrets = [
            rows(server, f"select count() from {table} where position(formatRow('JSONEachRow', *), '{word}') > 0")
            for table in ("otel_traces", "otel_logs")
            for word in (SECRET, "parrot", USER, "Mallory")
        ]
        hidden = rows(server, f"select countIf(SpanAttributes['user.id'] = '{PSEUDONYM}') from otel_traces")
        for process in (agent, gateway):
            process.stop()

    found = calls_in(through)

    assert len(expected) == len(found) == CALLS
    assert {row["tenant"] for row in found} == {row["tenant"] for row in expected} == {"Acme Corp."}
    assert {row["user"] for row in expected} == {"", USER}
    assert {row["user"] for row in found} == {"", PSEUDONYM}
    without = {"user"}
    assert [{k: v for k, v in row.items() if k not in without} for row in found] == [
        {k: v for k, v in row.items() if k not in without} for row in expected
    ]
    assert sum(row["cost_usd"] or 0 for row in found) > 0
    assert secrets == [[(0,)]] * len(secrets)
    assert hidden[0][0] > 0
    for process in (agent, gateway):
        kept = b"".join(file.read_bytes() for file in process.queue.iterdir())
        assert SECRET.encode() not in kept
        assert SECRET not in process.log.read_text()


def test_only_who_shows_a_token_may_send_and_only_for_the_tenant_it_stands_for(
    site: Site, running: list[Process], new_store: Callable[[], Path], recently: float
) -> None:
    port = free_port()
    gateway = site.gateway(port)
    running.append(gateway)
    spoofed = {"spanledger.tenant": "Mallory", "tenant.id": "Mallory", "tenant_id": "Mallory", "spanledger.feature": "x"}
    body = request([chat(recently, extra=spoofed)], {"tenant.id": "Mallory", "spanledger.tenant": "Mallory"}).body
    own = request([chat(recently, extra={"spanledger.tenant": "Initech"})]).body
    with served(new_store(), port) as server:
        gateway.start()
        statuses = [site.post(gateway, body, token) for token in ("", "wrong-token-0123456789", ACME + "x")]
        with grpc.secure_channel(
            f"127.0.0.1:{gateway.ports['GRPC']}", grpc.ssl_channel_credentials(site.tls.certificate.read_bytes())
        ) as channel:
            export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
            with pytest.raises(grpc.RpcError) as refused:
                export(body, metadata=[("authorization", "Bearer wrong-token-0123456789")], timeout=60)
            export(body, metadata=[("authorization", f"Bearer {GLOBEX}")], timeout=60)
        trusted = site.post(gateway, own, TRUSTED)
        eventually(lambda: landed(server)[0] == 2, "the two calls")
        server.settle()
        billed = rows(server, "select tenant, count() from calls group by tenant order by tenant")
        told = rows(server, "select count() from otel_traces where formatRow('JSONEachRow', *) like '%Mallory%'")
        metrics = gateway.metrics()

    assert statuses == [401, 401, 401]
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert trusted == 200
    assert billed == [("Globex", 1), ("Initech", 1)]
    assert told == [(0,)]
    assert "otelcol_receiver_accepted_spans" in metrics
    assert "otelcol_exporter_queue_size" in metrics


def test_a_pseudonym_that_a_service_made_with_the_same_key_stays_what_it_is(
    site: Site, running: list[Process], new_store: Callable[[], Path], recently: float
) -> None:
    port = free_port()
    gateway = site.gateway(port)
    running.append(gateway)
    spans = [
        chat(recently, extra={"user.id": USER}),
        chat(recently, extra={"user.id": PSEUDONYM, "spanledger.user.pseudonym": PSEUDONYM}),
        chat(recently, extra={"user.id": USER, "spanledger.user.pseudonym": USER}),  # a lie
    ]
    with served(new_store(), port) as server:
        gateway.start()
        assert site.post(gateway, request(spans).body, ACME) == 200
        eventually(lambda: landed(server)[0] == len(spans), "the calls")

        assert rows(server, "select distinct SpanAttributes['user.id'] from otel_traces") == [(PSEUDONYM,)]


def test_sampling_takes_context_and_no_call(
    site: Site, running: list[Process], new_store: Callable[[], Path], recently: float
) -> None:
    port = free_port()
    gateway = site.gateway(port)
    running.append(gateway)
    calls = [chat(recently) for _ in range(20)]
    web = [chat(recently, scope="a.web.framework", name="GET /") for _ in range(20)]
    for span in web:
        span.attributes = {"http.route": "/"}
    with served(new_store(), port) as server:
        gateway.start()
        assert site.post(gateway, request([*calls, *web]).body, ACME) == 200
        eventually(lambda: landed(server)[0] == len(calls), "the calls")
        eventually(lambda: "otelcol_processor_tail_sampling_count_traces_sampled" in gateway.metrics(), "a decision")

        assert rows(server, "select count(), countIf(ScopeName = 'a.web.framework') from otel_traces") == [(len(calls), 0)]
    assert time.time() > recently
