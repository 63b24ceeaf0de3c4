"""Kills the embedded collector again and again, at any moment of its life, and counts: `python -m tests.bench.kills --kills 200`.

Clients send spans and log events as an SDK does: a batch is sent again, byte for byte, until it is acknowledged. After each kill the
store must open by itself and hold everything that was acknowledged; at the end every call must be billed once, and the sums be right.
"""

import argparse
import gzip
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from rich.console import Console

from spanledger_collector.database import open_embedded
from spanledger_collector.load.sending import Batch, Client
from spanledger_collector.refresh import heal, settle
from tests.otlp import chat, key_values, request
from tests.otlp_json import as_otlp_json

__all__ = ["Campaign", "Totals"]

_BATCH: Final = 20
_PORTS: Final = ("--otlp-http-port", "0", "--otlp-grpc-port", "0", "--clickhouse-port", "0")
_LANDED: Final = "select uniqExact(SpanId) from spanledger.otel_traces"
# Two thirds of the kills come under load, the others while it opens the store or closes it.
_MOMENTS: Final = ("load", "load", "load", "load", "start", "stop")


@dataclass(frozen=True)
class Totals:
    """What the ledger holds at the end."""

    calls: int
    distinct: int
    summed: int
    usd: object
    summed_usd: object
    differences: int


def spans(at: float) -> Iterator[Batch]:
    """Yield batches of calls as spans: protobuf, packed protobuf, JSON."""
    while True:
        for encoding in ("protobuf", "gzip", "json"):
            at += 1
            batch = request(chat(at + index / 1000, tokens=(100, 10)) for index in range(_BATCH))
            headers = {"Content-Type": "application/x-protobuf"}
            body = batch.body
            if encoding == "gzip":
                headers, body = headers | {"Content-Encoding": "gzip"}, gzip.compress(body, 1)
            elif encoding == "json":
                headers = {"Content-Type": "application/json"}
                body = as_otlp_json(MessageToDict(ExportTraceServiceRequest.FromString(body))).body
            yield Batch("/v1/traces", headers, body, _BATCH)


def events(at: float) -> Iterator[Batch]:
    """Yield batches of calls as log events."""
    sequence = 0
    while True:
        message = ExportLogsServiceRequest()
        scoped = message.resource_logs.add().scope_logs.add()
        for _ in range(_BATCH):
            sequence += 1
            record = scoped.log_records.add(time_unix_nano=int((at + sequence / 100) * 1e6) * 1000)
            record.body.string_value = "claude_code.api_request"
            told = {"event.name": "api_request", "event.sequence": sequence, "session.id": f"s{at}"}
            counts = {"model": "claude-sonnet-4-5-20250929", "input_tokens": "50", "output_tokens": "60"}
            record.attributes.extend(key_values(told | counts))
        yield Batch("/v1/logs", {"Content-Type": "application/x-protobuf"}, message.SerializeToString(), _BATCH)


@dataclass
class Campaign:
    """A store, clients, and the dice."""

    store: Path
    dice: random.Random
    clients: list[Client] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    start_seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        now = time.time()
        self.clients = [Client(spans(now - 30_000)), Client(spans(now - 20_000)), Client(events(now - 10_000.5))]

    @property
    def acknowledged(self) -> int:
        """How many calls were acknowledged."""
        return sum(client.acknowledged for client in self.clients)

    def kill(self, moment: str) -> None:
        """Start the collector and kill it at a moment of that kind; before, see whether it has all that was acknowledged."""
        self.kills[moment] += 1
        started = time.monotonic()
        process = self._start()
        if moment == "start":
            killer = threading.Timer(self.dice.uniform(0.3, 3.0), process.kill)
            killer.start()
        urls = _urls(process)
        if urls is None:
            _ended(process)
            return
        self.start_seconds.append(time.monotonic() - started)
        if moment == "start":  # it was quicker than the killer
            _ended(process)
            return
        self._check(urls["queries"])
        self._load(process, urls["OTLP/HTTP"], moment)

    def finish(self) -> Totals:
        """Send what is left, and return what the ledger holds after all is settled."""
        process = self._start()
        urls = _urls(process)
        assert urls is not None
        self._check(urls["queries"])
        for client in self.clients:
            client.run(lambda: urls["OTLP/HTTP"], lambda client=client: client.pending is None)  # type: ignore[misc]
        process.send_signal(signal.SIGTERM)
        assert _ended(process) == 0
        with closing(open_embedded(self.store)) as database, closing(database.client()) as ledger:
            heal(ledger)
            settle(ledger)
            billed = ledger.query("select count(), uniqExact(trace_id, span_id), sum(cost_usd) from calls").result_rows[
                0
            ]
            summed = ledger.query("select sum(c.calls), sum(c.known_usd) from costs as c").result_rows[0]
            wrong = ledger.query("select count() from ledger_check where calls_difference != 0 or usd_difference != 0")
        return Totals(billed[0], billed[1], summed[0], billed[2], summed[1], wrong.result_rows[0][0])

    def _start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "spanledger_collector", "up", "--store", str(self.store), *_PORTS],
            stderr=subprocess.PIPE,
            text=True,
        )

    def _check(self, url: str) -> None:
        with urllib.request.urlopen(f"{url}/?query={urllib.parse.quote(_LANDED)}", timeout=60) as answer:  # noqa: S310
            landed = int(answer.read())
        underway = sum(client.pending is not None for client in self.clients) * _BATCH
        assert self.acknowledged <= landed <= self.acknowledged + underway, (self.acknowledged, landed, underway)

    def _load(self, process: "subprocess.Popen[str]", url: str, moment: str) -> None:
        over = threading.Event()
        threads = [threading.Thread(target=client.run, args=(lambda: url, over.is_set)) for client in self.clients]
        for thread in threads:
            thread.start()
        time.sleep(self.dice.uniform(0.05, 2.5))
        if moment == "stop":
            process.send_signal(signal.SIGTERM)
            time.sleep(self.dice.uniform(0.0, 0.8))
        process.kill()
        over.set()
        for thread in threads:
            thread.join()
        _ended(process)


def _urls(process: "subprocess.Popen[str]") -> dict[str, str] | None:
    """Return where it listens, None when it was killed before it did."""
    found: dict[str, str] = {}
    assert process.stderr is not None
    for line in process.stderr:
        if match := re.search(r"^  (\S+) .*?(http://\S+)", line):
            found[match[1]] = match[2]
        if "Ctrl-C" in line:
            return found
    assert process.wait() == -signal.SIGKILL, "the store does not open"
    return None


def _ended(process: "subprocess.Popen[str]") -> int:
    assert process.stderr is not None
    process.stderr.read()
    process.stderr.close()
    return process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how often")
    parser.add_argument("--seed", type=int, default=1, help="of the dice")
    parser.add_argument("--store", type=Path, help="folder of a new store, which stays; else one that goes")
    arguments = parser.parse_args()
    console = Console(width=150)
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(arguments.store or Path(folder) / "ledger", random.Random(arguments.seed))
        for number in range(1, arguments.kills + 1):
            campaign.kill(campaign.dice.choice(_MOMENTS))
            if number % 10 == 0:
                console.print(f"{number} kills {dict(campaign.kills)}, {campaign.acknowledged:,} calls acknowledged")
        totals = campaign.finish()
    again = sum(client.sent_again.total() for client in campaign.clients)
    console.print(
        f"{dict(campaign.kills)}: {campaign.acknowledged:,} calls acknowledged, {again:,} batches sent again, "
        f"starts took up to {max(campaign.start_seconds):.1f} s."
    )
    console.print(totals)
    assert totals.calls == totals.distinct == totals.summed == campaign.acknowledged, "calls are lost or doubled"
    assert totals.usd == totals.summed_usd
    assert totals.differences == 0
    console.print("Nothing lost, nothing doubled, all sums right.")


if __name__ == "__main__":
    main()
