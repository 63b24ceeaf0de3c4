"""Runs a served ledger under load for as long as you like: `python -m tests.bench.soak --minutes 90 --rate 5000 --kill-every 600`.

`spanledger up` is a process of its own. Senders in parallel, as SDKs are, bring their batches on time by OTLP/HTTP, a twentieth of
them twice, and again what was refused or not answered; four dashboards ask with a pause of 0.3 s. With `--kill-every` the collector
is killed under load and started on the same store. Each minute it prints a line; at the end latencies, the time from an answer to the
views, memory over time, and whether every call that was acknowledged is billed once and in every sum, by hour, team and model, to the
last digit: its exit code says so.
"""

import argparse
import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import requests
from genai_prices import Usage, calc_price
from rich.console import Console
from rich.table import Table

from spanledger_collector.database import open_embedded
from spanledger_collector.load.sending import Batch, Client
from spanledger_collector.refresh import heal, settle
from tests.bench.spans import batch
from tests.collector.cli.processes import Up, up

_SPANS_PER_REQUEST: Final = 2048
_THINK_SECONDS: Final = 0.3
_RESENT: Final = 20
_SETTLE_SECONDS: Final = 180
_IDS_PER_SENDER: Final = 10**12
_HEADERS: Final = {"Content-Type": "application/x-protobuf"}
_MODELS: Final = ("gpt-4o-mini", "gpt-4.1", "o4-mini", "gpt-4o")
_TEAMS: Final = 40
_DASHBOARDS: Final = {
    "30 days by team": "select team, sum(known_usd) as usd from cost_by_team group by team order by usd desc",
    "top 20 users": "select user, sum(known_usd) as usd from cost_by_user group by user order by usd desc limit 20",
    "last hour by minute and model": (
        "select bucket, model, sum(known_usd) as usd from costs where bucket > now() - interval 1 hour group by bucket, model"
    ),
    "completeness": "select completeness, sum(calls) as n from completeness as c group by completeness",
}
_CALLS: Final = """select toString(toStartOfHour(ts, 'UTC')) as hour, team, model, count(), uniqExact(trace_id, span_id), sum(cost_usd)
from calls group by all"""
_SUMS: Final = """select toString(toStartOfHour(bucket, 'UTC')) as hour, team, model, sum(c.calls), sum(c.known_usd)
from costs as c group by all"""


@dataclass
class Measured:
    """What was seen; seconds, megabytes."""

    to_views: list[float] = field(default_factory=list)
    queries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    memory: list[tuple[float, int, int]] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    start_seconds: list[float] = field(default_factory=list)


class Served:
    """The collector on its store, through all its lives."""

    def __init__(self, store: Path, stack: ExitStack) -> None:
        """Start it."""
        self.store, self._stack, self.life = store, stack, 0
        self.now = self._start()

    def kill(self) -> float:
        """Kill it and start it again; return how long the start took."""
        self.now.process.kill()
        self.now.process.wait()
        asked = time.monotonic()
        self.now = self._start()
        self.life += 1
        return time.monotonic() - asked

    def stop(self) -> None:
        """End it as a service manager does."""
        self.now.process.terminate()
        assert self.now.process.wait() == 0, "the collector did not end well"

    def ask(self, sql: str) -> str:
        """Return the answer to a query, as TSV."""
        answer = requests.post(self.now.clickhouse_url, f"{sql} format TSV", timeout=120)
        answer.raise_for_status()
        return answer.text.strip()

    def resident(self) -> int:
        """Return its memory in megabytes; 0 while it is dead."""
        try:
            status = Path(f"/proc/{self.now.process.pid}/status").read_text()
        except OSError:
            return 0
        return next((int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0)

    def _start(self) -> Up:
        running = self._stack.enter_context(up(self.store))
        assert running.process.stderr
        # What it logs is passed on: a pipe that nobody reads would stop it one day.
        threading.Thread(target=sys.stderr.writelines, args=(running.process.stderr,), daemon=True).start()
        return running


@dataclass(frozen=True)
class Soak:
    """One run: a served ledger, senders, dashboards, and how long."""

    served: Served
    rate: int
    seconds: float
    kill_every: float
    clients: list[Client]
    seen: Measured
    end: float

    @property
    def acknowledged(self) -> int:
        """How many calls were acknowledged."""
        return sum(client.acknowledged for client in self.clients)

    def run(self, console: Console) -> None:
        """Run to the end, until all is acknowledged."""
        tasks: list[Callable[[], None]] = [self._sending(client) for client in self.clients]
        tasks += [self._asking(name) for name in _DASHBOARDS]
        tasks += [self._follow, lambda: self._tell(console), *([self._kill] if self.kill_every else [])]
        threads = [threading.Thread(target=task) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def settled(self) -> str:
        """Wait until the views show what was acknowledged; return in words how long that took."""
        asked = time.monotonic()
        while time.monotonic() < asked + _SETTLE_SECONDS:
            if int(self.served.ask("select sum(calls) from costs") or 0) == self.acknowledged:
                return f"{time.monotonic() - asked:.1f} s after the last answer"
            time.sleep(0.5)
        return f"not within {_SETTLE_SECONDS} s"

    def _sending(self, client: Client) -> Callable[[], None]:
        return lambda: client.run(lambda: self.served.now.otlp_http_url, lambda: False)

    def _asking(self, name: str) -> Callable[[], None]:
        def look() -> None:
            while time.monotonic() < self.end:
                asked = time.monotonic()
                if self._ask(name, _DASHBOARDS[name]):
                    self.seen.queries[name].append(time.monotonic() - asked)
                time.sleep(_THINK_SECONDS)

        return look

    def _ask(self, name: str, sql: str) -> str:
        """Ask; a failure is counted, apart from those of a collector that is dead."""
        try:
            return self.served.ask(sql) or "0"
        except requests.RequestException as error:
            dead = self.kill_every and not isinstance(error, requests.HTTPError | requests.Timeout)
            self.seen.failures["asked a dead collector" if dead else f"{name}: {error}"] += 1
            return ""

    def _follow(self) -> None:
        """Measure how long after the answer the views show all that was acknowledged until then, and the memory."""
        while time.monotonic() < self.end:
            if resident := self.served.resident():
                self.seen.memory.append((time.monotonic(), self.served.life, resident))
            life, target, asked = self.served.life, self.acknowledged, time.monotonic()
            while int(self._ask("calls in the views", "select sum(calls) from costs") or 0) < target:
                if time.monotonic() > self.end:
                    return
                time.sleep(0.2)
            if target and life == self.served.life:
                self.seen.to_views.append(time.monotonic() - asked)
            time.sleep(5)

    def _kill(self) -> None:
        while time.monotonic() + self.kill_every < self.end:
            time.sleep(self.kill_every)
            self.seen.start_seconds.append(self.served.kill())

    def _tell(self, console: Console) -> None:
        """Print each minute how it stands."""
        told, started = [0 for _ in self.clients], time.monotonic()
        for minute in itertools.count(1):
            time.sleep(max(0.0, min(started + minute * 60, self.end) - time.monotonic()))
            lately = [
                at for known, client in zip(told, self.clients, strict=True) for at in client.answer_seconds[known:]
            ]
            told = [len(client.answer_seconds) for client in self.clients]
            again = sum((client.sent_again for client in self.clients), Counter())
            parts = self._ask(
                "parts", "select count(), intDiv(sum(bytes_on_disk), 1000000) from system.parts where active"
            )
            console.print(
                f"minute {minute}: {self.acknowledged:,} acknowledged, answers {line(lately)}, {self.served.resident():,} MB in life "
                f"{self.served.life}, parts and MB on disk {parts.split()}, again {dict(again)}, failures {dict(self.seen.failures)}"
            )
            if time.monotonic() >= self.end:
                return


def paced(sender: int, rate: int, end: float, late: list[float]) -> Iterator[Batch]:
    """Yield a sender's batches, each when it is due: what falls behind is counted as late, not left out."""
    requests_a_second = -(-rate // _SPANS_PER_REQUEST)
    size, started = rate // requests_a_second, time.monotonic()
    for number in itertools.count():
        due = started + number / requests_a_second
        if max(due, time.monotonic()) >= end:
            return
        start = time.time_ns() // 10**9 - 2
        team, model = f"team{(number + sender) % _TEAMS}", _MODELS[(number + sender) % len(_MODELS)]
        first = sender * _IDS_PER_SENDER + number * size
        body = batch(first, size, start * 10**9, team, model)
        time.sleep(max(0.0, due - time.monotonic()))
        late.append(time.monotonic() - due)
        hour = datetime.fromtimestamp(start - start % 3600, UTC).strftime("%Y-%m-%d %H:%M:%S")
        made = Batch("/v1/traces", _HEADERS, body, size, (hour, team, model))
        yield made
        if number % _RESENT == 0:
            yield replace(made, calls=0)


def differences(store: Path, sent: Counter[tuple[str, ...]]) -> list[str]:
    """Return the groups in which calls or sums are not what was sent, in words; the collector must have ended."""
    with closing(open_embedded(store)) as database, closing(database.client()) as ledger:
        heal(ledger)
        settle(ledger)
        calls = {tuple(row[:3]): tuple(row[3:]) for row in ledger.query(_CALLS).result_rows}
        sums = {tuple(row[:3]): tuple(row[3:]) for row in ledger.query(_SUMS).result_rows}
    wrong = []
    for group in sorted(sent.keys() | calls.keys() | sums.keys()):
        count = sent[group]
        usd = count * price(group[2])
        found, summed = calls.get(group), sums.get(group)
        if found != (count, count, usd) or summed != (count, usd):
            wrong.append(f"{group}: sent {count}, {usd} USD; calls, distinct, USD {found}; sums {summed}")
    return wrong


def price(model: str) -> Decimal:
    """Return what one call costs, as the price list itself says, not the ledger."""
    return calc_price(Usage(input_tokens=1000, output_tokens=100), model, provider_id="openai").total_price


def line(values: Sequence[float]) -> str:
    """Return median, 95th percentile and maximum in words."""
    if not values:
        return "none"
    ordered = sorted(values)
    p95 = ordered[int(len(ordered) * 0.95)]
    return (
        f"{statistics.median(ordered) * 1000:,.0f} / {p95 * 1000:,.0f} / {ordered[-1] * 1000:,.0f} ms ({len(ordered)})"
    )


def memory(seen: Measured) -> Iterator[str]:
    """Yield per life, and for the first and the last hour, how the memory went."""
    for life, found in itertools.groupby(seen.memory, key=lambda at: at[1]):
        points = list(found)
        sizes = [size for *_, size in points]
        quarter = max(1, len(sizes) // 4)
        first, last = statistics.median(sizes[:quarter]), statistics.median(sizes[-quarter:])
        minutes = (points[-1][0] - points[0][0]) / 60
        yield f"life {life}: {first:,.0f} -> {last:,.0f}, at most {max(sizes):,} MB ({minutes:.0f} min)"
    if seen.memory and seen.memory[-1][0] - seen.memory[0][0] > 2 * 3600:
        began, ended = seen.memory[0][0], seen.memory[-1][0]
        first = statistics.median(size for at, _, size in seen.memory if at < began + 3600)
        last = statistics.median(size for at, _, size in seen.memory if at > ended - 3600)
        yield f"medians of the first and the last hour: {first:,.0f}, {last:,.0f} MB"


def report(soak: Soak, settled: str) -> Table:
    """Return what was measured."""
    seen = soak.seen
    title = f"{soak.rate:,} spans/s from {len(soak.clients)} senders, four dashboards, {len(seen.start_seconds)} kills"
    table = Table("what", "p50 / p95 / max (how many)", title=title, title_justify="left")
    table.add_row("answer to a batch", line([at for client in soak.clients for at in client.answer_seconds]))
    table.add_row("a sender behind its schedule", line(seen.late))
    for name, values in seen.queries.items():
        table.add_row(name, line(values))
    table.add_row("from the answer into the views", line(seen.to_views))
    table.add_row("settled", settled)
    table.add_row("start after a kill", line(seen.start_seconds))
    table.add_row("resident memory, medians of the first and the last quarter", "\n".join(memory(seen)))
    again = sum((client.sent_again for client in soak.clients), Counter())
    table.add_row("sent again, because of", ", ".join(f"{why}: {count}" for why, count in again.items()) or "nothing")
    table.add_row("failures", "; ".join(f"{what}: {count}" for what, count in seen.failures.items()) or "none")
    table.add_row("acknowledged", f"{soak.acknowledged:,} ({soak.acknowledged / soak.seconds:,.0f} a second)")
    return table


def main() -> int:
    """Run as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--rate", type=int, default=5000, help="spans per second of all senders")
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=0, help="seconds between two kills; 0: never")
    parser.add_argument("--store", type=Path, help="folder of a new store, which stays; else one that goes")
    given = parser.parse_args()
    console = Console(width=200, highlight=False)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        served = Served(given.store or Path(folder) / "ledger", stack)
        seen, end = Measured(), time.monotonic() + given.minutes * 60
        senders = [
            Client(paced(number, given.rate // given.senders, end, seen.late), pause_seconds=0.5)
            for number in range(given.senders)
        ]
        soak = Soak(served, given.rate, given.minutes * 60, given.kill_every, senders, seen, end)
        soak.run(console)
        console.print(report(soak, soak.settled()))
        served.stop()
        sent: Counter[tuple[str, ...]] = sum((client.calls for client in senders), Counter())
        wrong = differences(served.store, sent)
    console.print(
        f"{len(sent):,} groups of hour, team and model: "
        + ("\n".join(wrong) or "every call once, every sum to the digit.")
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
