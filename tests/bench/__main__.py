"""Measures the ledger on this machine: `python -m tests.bench [--calls N] [--only PART]`, all in one process, one after the other.

Ten million calls without the rest: `python -m tests.bench --calls 10000000 --only calls`, or `--only dashboards`: each panel's query.
With `--store DIR` the ledger is kept there, and measured again instead of being made again.
"""

import argparse
import contextlib
import itertools
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.table import Table

from spanledger_collector.database import Database, open_embedded
from spanledger_collector.prices import Override, apply, draft, preview
from spanledger_collector.receiver.door import Door, OtlpRequest
from spanledger_collector.refresh import judge, refresh, settle
from spanledger_collector.server import prepare
from tests.bench.dashboards import bench_dashboards
from tests.otlp import SpanSpec, chat, request

SPANS_PER_REQUEST = 500
RESPONSES = itertools.count()  # no two calls have one response
EXTRAPOLATED = 100_000_000
SIZE = """
select sum(data_compressed_bytes) / sum(rows) from system.parts
where active and table = 'genai_calls' and database = currentDatabase()"""
ROLLUP_ROWS = "select (select count() from cost_hours final), (select count() from actor_hours final)"
# What our SDK and a resource say beside it: a span has about a thousand bytes then.
RICH = {
    "session.id": "s-1234567890", "server.port": 443, "gen_ai.usage.cache_read.input_tokens": 1, "gen_ai.request.max_tokens": 2048,
    "gen_ai.request.temperature": 0.2, "gen_ai.request.stream": True, "spanledger.attempts": 1, "spanledger.sequence": 5,
    "spanledger.system_chars": 1200, "spanledger.user_chars": 300, "spanledger.history_chars": 4000,
    "spanledger.prompt_fingerprint": "ab12cd34ef56ab78", "spanledger.prefix_fingerprint": "ab12cd34ef56ab79",
}  # fmt: skip
RICH_RESOURCE = {
    "deployment.environment.name": "prod", "service.version": "1.2.3", "service.instance.id": "abcdef",
    "telemetry.sdk.name": "opentelemetry", "host.name": "h1", "cloud.region": "eu-west-1",
}  # fmt: skip
QUERIES = {
    "30 days by team, rollup": "select team, sum(known_usd) as usd from cost_by_team group by team order by usd desc",
    "30 days by team, single calls": "select team, sum(cost_usd) as usd from calls group by team order by usd desc",
    "top 20 users of 30 days": "select user, sum(known_usd) as usd from cost_by_user group by user order by usd desc limit 20",
    "completeness of 30 days": "select completeness, sum(calls) as n from completeness as c group by completeness",
}


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measured(step: Callable[[], object], times: int = 5) -> tuple[float, float]:
    """Return the median wall and the median CPU seconds of a step, after one run that does not count."""
    step()
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), cpu_seconds()
        step()
        walls.append(time.perf_counter() - wall)
        cpus.append(cpu_seconds() - cpu)
    return statistics.median(walls), statistics.median(cpus)


def otlp(spans: int, *, rich: bool = False) -> list[OtlpRequest]:
    """Return requests with that many new spans, as an exporter cuts them; ``rich``: with all that our SDK says."""
    now, more, resource = time.time() - 300, RICH if rich else {}, RICH_RESOURCE if rich else {}

    def call(number: int) -> SpanSpec:
        tags = {
            "spanledger.team": f"team{number % 40}",
            "spanledger.feature": f"f{number % 20}",
            "user.id": f"u{number % 900}",
            "server.address": "api.openai.com",
            "gen_ai.response.id": f"chatcmpl-{next(RESPONSES):028}",
        }
        return chat(now + number / 5000, extra=tags | more)

    firsts = range(0, spans, SPANS_PER_REQUEST)
    return [request(map(call, range(first, min(spans, first + SPANS_PER_REQUEST))), resource) for first in firsts]


def bench_ingest(table: Table, database: Database, client: Client) -> None:
    rates: dict[int, float] = {}
    with closing(Door(database)) as door:
        for spans, rich in ((1, False), (1000, False), (10_000, False), (10_000, True)):
            requests = [otlp(spans, rich=rich) for _ in range(6)]
            size = sum(len(each.body) for each in requests[0]) / spans
            batches = iter(requests)
            wall, cpu = measured(lambda batches=batches: door.insert(next(batches)))  # type: ignore[misc]
            rates.setdefault(spans, spans / cpu)
            what = f"insert of {spans:,} spans of {size:.0f} bytes: OTLP bytes to otel_traces and genai_calls"
            table.add_row(what, f"{wall * 1000:.0f} ms", f"{spans / cpu:,.0f} spans per CPU second")
        table.add_row("  ratio of 10k batches to 1k batches", "", f"{rates[10_000] / rates[1000]:.1f}x")
        wall, cpu = measured(lambda: judge(client))
        table.add_row("election over what just came", f"{wall * 1000:.0f} ms", f"{cpu * 1000:.0f} ms CPU")

        def visible() -> None:
            door.insert(otlp(1000))
            judge(client)
            refresh(client, "cost_minutes_mv")

        wall, _ = measured(visible)
        table.add_row(
            "1,000 spans from the wire into the views (insert, election, rollup)", f"{wall * 1000:.0f} ms", ""
        )


def bench_election(table: Table, client: Client, spans: int) -> None:
    """A backlog of traces of ten spans: an agent, three calls seen by two instrumentations, HTTP spans between."""
    client.command((Path(__file__).parent / "synthetic_traces.sql").read_text(), parameters={"spans": spans})
    slices = list[int]()
    wall, cpu = time.perf_counter(), cpu_seconds()
    judge(client, slices.append)
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    what = f"election over a backlog of {spans:,} spans, in {len(slices)} slices"
    table.add_row(what, f"{wall:.1f} s", f"{cpu / spans * 1e6:.0f} us CPU per span")


def fill(table: Table, client: Client, calls: int) -> None:
    """Put that many calls in the place of all that there were, and make their rollups."""
    for name in (
        "genai_calls",
        "dirty_minutes",
        "cost_minutes",
        "cost_hours",
        "cost_days",
        "actor_minutes",
        "actor_hours",
    ):
        client.command(f"truncate table {name}")
    client.command((Path(__file__).parent / "synthetic_calls.sql").read_text(), parameters={"calls": calls})
    client.command("optimize table genai_calls final")
    size = client.query(SIZE).result_rows[0][0]
    table.add_row(f"bytes per call in genai_calls, merged, {calls:,} calls", f"{size:.1f}", "see synthetic_calls.sql")
    wall, cpu = time.perf_counter(), cpu_seconds()
    settle(client)
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    _row_per_million(table, f"all rollups of {calls:,} calls made from nothing", wall, cpu, calls)
    hours, actors = client.query(ROLLUP_ROWS).result_rows[0]
    table.add_row("  rows of cost_hours, of actor_hours", f"{hours:,}, {actors:,}", "")


def bench_queries(table: Table, client: Client, calls: int) -> None:
    for name, sql in QUERIES.items():
        wall, cpu = measured(lambda sql=sql: client.query(sql))  # type: ignore[misc]
        table.add_row(f"{name}, {calls:,} calls", f"{wall * 1000:.0f} ms", f"{cpu * 1000:.0f} ms CPU")
        most_ms = wall * 1000 * EXTRAPOLATED / calls
        table.add_row(
            f"  of {EXTRAPOLATED:,} calls, extrapolated", f"at most {most_ms:.0f} ms", "rows grow no faster than calls"
        )


def bench_repricing(table: Table, client: Client, calls: int) -> None:
    """A correction that changes the price of every call: what a person waits for, and until the last dashboard shows it."""
    models = ("gpt-5", "gpt-5-mini", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "o3")
    entries = [Override("openai", model, {"output_usd_per_token": Decimal("0.000003")}) for model in models]
    steps: dict[str, Callable[[], object]] = {}
    drafted = draft(client, "bench", entries=entries)
    assert drafted
    steps["preview"] = lambda: preview(client, drafted)
    steps["apply: preview, audit, minutes to sum again"] = lambda: apply(client, drafted, "bench")
    steps["rollups"] = lambda: settle(client)
    walls, cpus = [], []
    for name, step in steps.items():
        wall, cpu = time.perf_counter(), cpu_seconds()
        step()
        walls.append(time.perf_counter() - wall)
        cpus.append(cpu_seconds() - cpu)
        _row_per_million(table, f"re-pricing of {calls:,} calls: {name}", walls[-1], cpus[-1], calls)
    _row_per_million(table, f"re-pricing of {calls:,} calls, in all", sum(walls), sum(cpus), calls)


def _row_per_million(table: Table, what: str, wall: float, cpu: float, calls: int) -> None:
    table.add_row(what, f"{wall:.1f} s", f"{wall * 1e6 / calls:.2f} s, {cpu * 1e6 / calls:.2f} CPU seconds per million")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000, help="calls in the queried and re-priced ledger")
    parser.add_argument("--backlog", type=int, default=200_000, help="spans that wait for the election")
    parser.add_argument(
        "--only", choices=("ingest", "election", "calls", "dashboards"), help="one part; all when left out"
    )
    parser.add_argument(
        "--store", type=Path, help="a folder that keeps the ledger; one that is there already is taken as it is"
    )
    arguments = parser.parse_args()
    calls = arguments.calls
    table = Table(
        "what",
        "median",
        "per CPU",
        title="Measured on this machine, embedded engine, medians of 5 runs",
        title_justify="left",
    )
    with contextlib.ExitStack() as stack:
        folder = arguments.store or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kept = folder.exists() and any(folder.iterdir())
        database = stack.enter_context(closing(open_embedded(folder)))
        prepare(database, "bench")
        with closing(database.client()) as client:
            client.command("set max_threads = 2")
            if arguments.only in (None, "ingest"):
                bench_ingest(table, database, client)
            if arguments.only in (None, "election"):
                bench_election(table, client, arguments.backlog)
            if arguments.only in (None, "calls", "dashboards") and not kept:
                fill(table, client, calls)
            if arguments.only in (None, "dashboards"):
                bench_dashboards(table, client)
            if arguments.only in (None, "calls"):
                bench_queries(table, client, calls)
                bench_repricing(table, client, calls)
        table.add_row(
            "peak memory of the process", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB", ""
        )
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
