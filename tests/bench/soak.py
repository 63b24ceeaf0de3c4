"""Runs a served ledger under load and says what it took: `python -m tests.bench.soak [--minutes N] [--rate SPANS_PER_SECOND]`.

`spanledger up` is a process of its own; one sender brings a batch a second by OTLP/HTTP, a twentieth of them twice; four dashboards
ask with a pause of 0.3 s. Prints latencies, the time from an answer to the views, memory over time, and whether the totals are what
was sent. Asserts nothing.
"""

import argparse
import itertools
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import requests
from rich.console import Console
from rich.table import Table

from tests.bench.spans import batch
from tests.collector.cli.processes import Up, up

SPANS_PER_REQUEST = 1000
THINK_SECONDS = 0.3
RESENT = 20
SETTLE_SECONDS = 180
DASHBOARDS = {
    "30 days by team": "select team, sum(known_usd) as usd from cost_by_team group by team order by usd desc",
    "top 20 users": "select user, sum(known_usd) as usd from cost_by_user group by user order by usd desc limit 20",
    "last hour by minute and model": (
        "select bucket, model, sum(known_usd) as usd from costs where bucket > now() - interval 1 hour group by bucket, model"
    ),
    "completeness": "select completeness, sum(calls) as n from completeness as c group by completeness",
}


@dataclass
class Measured:
    """What was seen; seconds, megabytes."""

    acks: list[float] = field(default_factory=list)
    to_views: list[float] = field(default_factory=list)
    queries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    memory: list[tuple[float, int]] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    sent: int = 0


def ask(running: Up, sql: str) -> str:
    answer = requests.post(running.clickhouse_url, f"{sql} format TSV", timeout=120)
    answer.raise_for_status()
    return answer.text.strip()


def send(running: Up, seen: Measured, rate: int, end: float) -> None:
    """Send a second's spans each second, on time: what falls behind is counted as late, not left out."""
    with requests.Session() as session:
        headers = {"Content-Type": "application/x-protobuf"}
        started = time.monotonic()
        for second in itertools.count():
            due = started + second
            if max(due, time.monotonic()) >= end:
                return
            bodies = [
                batch(seen.sent + at, min(SPANS_PER_REQUEST, rate - at)) for at in range(0, rate, SPANS_PER_REQUEST)
            ]
            time.sleep(max(0.0, due - time.monotonic()))
            seen.late.append(time.monotonic() - due)
            for body in [*bodies, *(bodies[:1] if second % RESENT == 0 else [])]:
                asked = time.monotonic()
                answer = session.post(f"{running.otlp_http_url}/v1/traces", body, headers=headers, timeout=60)
                seen.acks.append(time.monotonic() - asked)
                if answer.status_code != 200:
                    seen.failures.append(f"{answer.status_code}: {answer.text[:200]}")
            seen.sent += rate


def look(running: Up, seen: Measured, name: str, end: float) -> None:
    while time.monotonic() < end:
        asked = time.monotonic()
        try:
            ask(running, DASHBOARDS[name])
        except requests.RequestException as error:
            seen.failures.append(f"{name}: {error}")
        seen.queries[name].append(time.monotonic() - asked)
        time.sleep(THINK_SECONDS)


def follow(running: Up, seen: Measured, end: float) -> None:
    """Measure how long after the answer the views show all that was sent until then, and the memory of the collector."""
    while time.monotonic() < end:
        status = Path(f"/proc/{running.process.pid}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        seen.memory.append((time.monotonic(), resident // 1024))
        target, asked = seen.sent, time.monotonic()
        while int(ask(running, "select sum(calls) from costs") or 0) < target and time.monotonic() < end:
            time.sleep(0.2)
        if target and time.monotonic() < end:
            seen.to_views.append(time.monotonic() - asked)
        time.sleep(5)


def line(values: Sequence[float]) -> str:
    if not values:
        return "none"
    ordered = sorted(values)
    p95 = ordered[int(len(ordered) * 0.95)]
    return (
        f"{statistics.median(ordered) * 1000:,.0f} / {p95 * 1000:,.0f} / {ordered[-1] * 1000:,.0f} ms ({len(ordered)})"
    )


def run(running: Up, seconds: float, rate: int) -> tuple[Measured, str]:
    seen, end = Measured(), time.monotonic() + seconds
    threads = [threading.Thread(target=send, args=(running, seen, rate, end))]
    threads += [threading.Thread(target=look, args=(running, seen, name, end)) for name in DASHBOARDS]
    threads += [threading.Thread(target=follow, args=(running, seen, end))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settled = time.monotonic() + SETTLE_SECONDS
    totals = ""
    while time.monotonic() < settled:
        totals = ask(running, "select (select count() from calls), (select sum(calls) from costs)")
        if totals == f"{seen.sent}\t{seen.sent}":
            break
        time.sleep(1)
    return seen, totals


def report(seen: Measured, totals: str, rate: int) -> Table:
    table = Table(
        "what", "p50 / p95 / max (how many)", title=f"{rate:,} spans/s and four dashboards", title_justify="left"
    )
    table.add_row(f"answer to {SPANS_PER_REQUEST:,} spans", line(seen.acks))
    table.add_row("the sender behind its schedule", line(seen.late))
    for name, values in seen.queries.items():
        table.add_row(name, line(values))
    table.add_row("from the answer into the views", line(seen.to_views))
    steps = seen.memory[:: max(1, len(seen.memory) // 8)]
    table.add_row("resident memory over time", ", ".join(f"{size:,}" for _, size in steps) + " MB")
    table.add_row("spans sent; calls; calls in the rollups", f"{seen.sent}\t{totals}".replace("\t", "; "))
    table.add_row("failures", "; ".join(seen.failures[:3]) or "none")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--rate", type=int, default=5000, help="spans per second")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, up(Path(folder) / "ledger") as running:
        seen, totals = run(running, arguments.minutes * 60, arguments.rate)
        Console(width=150).print(report(seen, totals, arguments.rate))
        running.stop()


if __name__ == "__main__":
    main()
