"""SDK, agent, gateway, ledger: the same money as the embedded path, whose it is, and no word of a prompt."""

import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from spanledger_collector.database import open_embedded
from spanledger_collector.refresh import settle
from spanledger_collector.server import EmbeddedServer
from tests.collector.otelcol.processes import (
    ACME,
    PSEUDONYM,
    USER,
    Process,
    Site,
    eventually,
    free_port,
    rows,
    served,
)
from tests.collector.otelcol.spans import EMITTED, SECRET, log_events, sdk_spans

pytestmark = pytest.mark.e2e
CALLS = len(EMITTED) + 1 + 1  # one failed, one told as a log event
RECORDS = 4


def landed(server: EmbeddedServer) -> tuple[int, int]:
    return (
        rows(server, "select uniqExact(SpanId) from otel_traces where ScopeName != 'a.web.framework'")[0][0],
        rows(server, "select uniqExact(EventName, LogAttributes) from otel_logs")[0][0],
    )


def holding(server: EmbeddedServer, table: str, word: str) -> int:
    """Return how many rows of a table hold a word, in any column."""
    return int(rows(server, f"select countIf(position(formatRow('JSONEachRow', *), '{word}') > 0) from {table}")[0][0])


def calls_in(store: Path) -> list[dict[str, Any]]:
    with closing(open_embedded(store)) as database, closing(database.client()) as client:
        settle(client)
        found = client.query("select * from calls order by ts, span_id")
        return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]


def post_logs(url: str, body: bytes, headers: dict[str, str]) -> None:
    named = {**headers, "Content-Type": "application/x-protobuf"}
    call = urllib.request.Request(f"{url}/v1/logs", body, named)  # noqa: S310 - our own, on loopback
    urllib.request.urlopen(call, timeout=120).close()  # noqa: S310


def send_directly(server: EmbeddedServer, spans: list[ReadableSpan], logs: bytes) -> None:
    headers = {"authorization": f"Bearer {ACME}"}
    exporter = HttpExporter(endpoint=f"{server.otlp_http_url}/v1/traces", headers=headers)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    post_logs(server.otlp_http_url, logs, headers)
    exporter.shutdown()  # type: ignore[no-untyped-call] # the exporter's own


def send_by_agent(agent: Process, spans: list[ReadableSpan], logs: bytes) -> None:
    exporter = GrpcExporter(endpoint=f"127.0.0.1:{agent.ports['GRPC']}", insecure=True)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()
    post_logs(f"http://127.0.0.1:{agent.ports['HTTP']}", logs, {})


def test_agent_and_gateway_bring_the_money_of_the_embedded_path_and_no_content(
    site: Site, running: list[Process], new_store: Callable[[], Path], recently: float
) -> None:
    direct, through, port = new_store(), new_store(), free_port()
    spans, logs = sdk_spans(recently, tenant="Mallory"), log_events(recently, tenant="Mallory")
    with served(direct, port, site.tokens()) as server:
        send_directly(server, spans, logs)
        eventually(lambda: landed(server)[0] >= CALLS, "what was sent directly")
        assert [holding(server, table, SECRET) > 0 for table in ("otel_traces", "otel_logs")] == [True, True]
    expected = calls_in(direct)
    gateway = site.gateway(port)
    agent = site.agent(gateway, ACME)
    with served(through, port) as server:
        for process in (gateway, agent):
            running.append(process)
            process.start()
        send_by_agent(agent, spans, logs)
        eventually(lambda: landed(server) == (CALLS, RECORDS), "what was sent to the agent")
        words = (SECRET, "parrot", USER, "Mallory")
        leaks = [
            (table, word) for table in ("otel_traces", "otel_logs") for word in words if holding(server, table, word)
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
    assert leaks == []
    assert hidden[0][0] > 0
    for process in (agent, gateway):
        kept = b"".join(file.read_bytes() for file in process.queue.iterdir())
        assert SECRET.encode() not in kept
        assert SECRET not in process.log.read_text()
