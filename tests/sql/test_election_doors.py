"""Exactly once through real doors: two protocols at a time, a price that is corrected, rows that are lost, a name that comes late."""

import random
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import grpc
from clickhouse_connect.driver.client import Client

from spanledger_collector.cli.backfill import plan, read_hours
from spanledger_collector.prices import Override, apply, draft
from spanledger_collector.server import EmbeddedServer
from tests.otlp import SpanSpec, request
from tests.sql.traffic import TEAM, Traffic

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
# USD per token: input, output; gpt-4o gets a price of the owner's own while its calls arrive
USD = {
    "gpt-4o-mini": (Decimal("0.00000015"), Decimal("0.0000006")),
    "gpt-4o": (Decimal("0.000003"), Decimal("0.000011")),
}
Totals = dict[tuple[int, str, str], tuple[int, int, int, Decimal]]


def true_totals(traffic: Traffic) -> Totals:
    """Return (hour, team, model) -> calls, input, output, USD; calls without usage have no tokens and no known cost."""
    sums = dict[tuple[int, str, str], Counter[str]]()
    for (hour, team, _, model), counts in traffic.truth.items():
        sums.setdefault((hour, team, model), Counter()).update(counts)
    return {
        key: (own["calls"], own["input"], own["output"], own["input"] * USD[key[2]][0] + own["output"] * USD[key[2]][1])
        for key, own in sums.items()
    }


def totals(client: Client) -> Totals:
    found = client.query(
        "select intDiv(toUnixTimestamp(bucket), 3600) as hour, team, model, sum(c.calls), sum(c.input_tokens), sum(c.output_tokens), "
        "sum(c.known_usd) from costs as c group by hour, team, model having sum(c.calls) != 0"
    ).result_rows
    return {(row[0], row[1], row[2]): (row[3], row[4], row[5], row[6]) for row in found}


def named_otherwise(span: SpanSpec) -> SpanSpec:
    """Return the span with its team under a name that the ledger does not know yet."""
    return replace(
        span, attributes={"cost_center" if name == TEAM else name: value for name, value in span.attributes.items()}
    )


def cut(dice: random.Random, spans: list[SpanSpec]) -> Iterator[bytes]:
    """Yield the spans in requests of any sizes, in any order."""
    left = dice.sample(spans, len(spans))
    while left:
        size = dice.choice([1, 20, 60])
        yield request(left[:size]).body
        del left[:size]


def served(store: Path) -> EmbeddedServer:
    return EmbeddedServer(store, otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0)


def send(server: EmbeddedServer, first: list[bytes], second: list[bytes]) -> None:
    """Send one list over HTTP and the other over gRPC, both at a time."""

    def over_http(body: bytes) -> None:
        url, kind = f"{server.otlp_http_url}/v1/traces", {"Content-Type": "application/x-protobuf"}
        urllib.request.urlopen(urllib.request.Request(url, body, kind), timeout=120).close()  # noqa: S310 - our own, on loopback

    with grpc.insecure_channel(server.otlp_grpc_url.removeprefix("http://")) as channel, ThreadPoolExecutor(8) as pool:
        export = channel.unary_unary(EXPORT)
        sent = [pool.submit(over_http, body) for body in first]
        sent += [pool.submit(export, body, timeout=120) for body in second]
        for one in sent:
            one.result()


def reprice(client: Client) -> None:
    prices = dict(zip(("input_usd_per_token", "output_usd_per_token"), USD["gpt-4o"], strict=True))
    drafted = draft(
        client, "a correction", entries=[Override("openai", "gpt-4o", prices, datetime(2026, 1, 1, tzinfo=UTC))]
    )
    assert drafted
    assert apply(client, drafted, "tester")


def test_two_doors_a_corrected_price_lost_rows_and_late_names_give_the_true_numbers(
    tmp_path: Path, recently: float
) -> None:
    dice = random.Random(7)
    traffic = Traffic(dice, recently // 3600 * 3600 - 12 * 3600)
    for _ in range(120):
        traffic.trace()
    traces = sorted({span.trace for span in traffic.spans})
    late = set(dice.sample(traces, len(traces) // 3))
    spans = [named_otherwise(span) if span.trace in late else span for span in traffic.spans]
    dice.shuffle(spans)
    half = len(spans) // 2

    with served(tmp_path / "store") as server, closing(server.database.client()) as client:
        send(server, list(cut(dice, spans[:half])), list(cut(dice, spans[half // 2 : half])))
        server.settle()
        assert totals(client)
        reprice(client)
        # as if the process had been killed between the landing and the books, and nothing had been acknowledged
        client.command("delete from genai_calls where cityHash64(span_id) % 5 = 0")
    with served(tmp_path / "store") as server, closing(server.database.client()) as client:
        send(server, list(cut(dice, spans[half // 3 :])), list(cut(dice, spans[: half * 3 // 2])))
        client.command(
            "insert into own_attribute_names (name, field, changed_by) values ('cost_center', 'team', 'tester')"
        )
        client.command("system reload dictionary attribute_dict")
        days = (datetime.now(UTC) - timedelta(days=3), datetime.now(UTC))
        read_hours(client, plan(client, "otel_traces", *days, again=True))
        server.settle()
        found, check = (
            totals(client),
            client.query("select sum(abs(calls_difference)), sum(abs(usd_difference)) from ledger_check").result_rows,
        )

    assert found == true_totals(traffic)
    assert check == [(0, Decimal(0))]
