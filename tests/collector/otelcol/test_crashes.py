"""An ack means stored: ClickHouse away and the gateway killed lose nothing that was acknowledged, and double no call."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from tests.collector.otelcol.processes import ACME, Process, Site, eventually, free_port, rows, served
from tests.otlp import chat, request

pytestmark = pytest.mark.e2e
BATCH = 20
LANDED = "select uniqExact(TraceId, SpanId) from otel_traces"
PRICE = Decimal("0.00021")  # of 1000 tokens in and 100 out


@dataclass
class Clients:
    """Threads that send as SDKs do: a batch again and again, byte for byte, until it is acknowledged."""

    send: Callable[[bytes], int]
    start: float
    acknowledged: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: list[threading.Thread] = field(default_factory=list)

    def run(self) -> None:
        while not self.over.is_set():
            body = request([chat(self.start) for _ in range(BATCH)]).body
            while self.send(body) != 200:
                self.over.wait(0.05)
            with self.lock:
                self.acknowledged += BATCH
            self.over.wait(0.05)

    def eventually_more(self, batches: int) -> None:
        wanted = self.acknowledged + batches * BATCH
        eventually(lambda: self.acknowledged >= wanted, f"{wanted} acknowledged spans")

    def begin(self) -> None:
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(2)]
        for thread in self.threads:
            thread.start()

    def finish(self) -> None:
        """Wait until what is under way is acknowledged."""
        self.over.set()
        for thread in self.threads:
            thread.join()


def test_a_clickhouse_that_is_away_and_a_killed_gateway_lose_and_double_nothing(
    site: Site, running: list[Process], new_store: Callable[[], Path], recently: float
) -> None:
    store, port = new_store(), free_port()
    gateway = site.gateway(port)
    running.append(gateway)
    clients = Clients(lambda body: site.post(gateway, body, ACME), recently)
    with served(store, port):
        gateway.start()
        clients.begin()
        clients.eventually_more(5)
    # ClickHouse is away.
    clients.eventually_more(10)
    gateway.kill()  # with a queue that nobody took
    gateway.start()
    clients.eventually_more(5)
    with served(store, port) as again:
        gateway.kill()  # while the queue is sent, maybe
        gateway.start()
        clients.eventually_more(5)
        clients.finish()
        eventually(lambda: rows(again, LANDED)[0][0] >= clients.acknowledged, "all that was acknowledged")
        again.settle()
        calls = rows(again, "select count(), uniqExact(trace_id, span_id), sum(cost_usd) from calls")
        summed = rows(again, "select sum(calls), sum(known_usd) from cost_by_tenant")

    assert clients.acknowledged >= 25 * BATCH
    assert calls == [(clients.acknowledged, clients.acknowledged, clients.acknowledged * PRICE)]
    assert summed == [(clients.acknowledged, clients.acknowledged * PRICE)]
