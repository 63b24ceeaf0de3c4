"""Sends made-up model calls at a rate, as services would, and asks the ledger what became of each."""

import itertools
import random
import secrets
import statistics
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client as Database
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanledger_collector.load.opening import check
from spanledger_collector.load.sending import Batch, Client

__all__ = ["GRACE_SECONDS", "SERVICE", "Load", "Stored", "others", "stored"]

SERVICE: Final = "spanledger-load"
"""Name of the service that the calls are of."""

_MODELS: Final = (
    ("openai", "gpt-5-mini"),
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-5"),
    ("anthropic", "claude-sonnet-4-5"),
)
_FEATURES: Final = ("chat", "search", "summaries", "extraction")
_SCOPES: Final = {
    "openai": "opentelemetry.instrumentation.genai.openai",
    "anthropic": "opentelemetry.instrumentation.genai.anthropic",
}
_HEADERS: Final = {"Content-Type": "application/x-protobuf"}
_PATTERNS: Final = 64
GRACE_SECONDS: Final = 60.0
"""How long after its end a run still tries to have everything acknowledged."""


@dataclass(frozen=True)
class Stored:
    """What the ledger has of a run: rows of the view of calls, and different calls among them."""

    rows: int = 0
    calls: int = 0

    @property
    def doubled(self) -> int:
        """Calls that the view shows more than once."""
        return self.rows - self.calls


@dataclass
class Load:
    """One run: calls a second, for so long, from senders in parallel, in requests of so many spans. Its id begins each trace id."""

    url: str
    rate: float
    seconds: float
    token: str = ""
    ca: Path | None = None
    senders: int = 2
    batch: int = 512
    run: str = field(default_factory=lambda: secrets.token_hex(8))
    clients: list[Client] = field(default_factory=list)
    taken_seconds: float = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Make sure that somebody takes what is sent there; UsageError or StoreError say why nobody does."""
        check(self.url, self._headers, self.ca)

    def send(self) -> None:
        """Send until the time is over and all is acknowledged, or for a minute more; then what is left has been given up."""
        started = time.monotonic()
        end = started + self.seconds
        self.clients = [Client(self._batches(number, started), ca=self.ca) for number in range(self.senders)]

        def is_over() -> bool:
            return self._stopped.is_set() or time.monotonic() > end + GRACE_SECONDS

        with ThreadPoolExecutor(self.senders) as pool:
            try:
                for run in [pool.submit(client.run, lambda: self.url, is_over) for client in self.clients]:
                    run.result()
            finally:
                self._stopped.set()  # Ctrl-C, or the failure of one: the others need not go on
        self.taken_seconds = time.monotonic() - started

    @property
    def _headers(self) -> dict[str, str]:
        return _HEADERS | ({"Authorization": f"Bearer {self.token}"} if self.token else {})

    @property
    def accepted(self) -> int:
        """Calls that were acknowledged."""
        return sum(client.acknowledged for client in self.clients)

    @property
    def given_up(self) -> int:
        """Calls that were sent and never acknowledged."""
        return sum(client.pending.calls for client in self.clients if client.pending)

    @property
    def refused(self) -> Counter[str]:
        """Why requests were not taken, and how often: HTTP status or error."""
        return sum((client.sent_again for client in self.clients), Counter())

    def latency_ms(self, percent: int) -> float:
        """Milliseconds from a request to its acknowledgement that so many percent of them were below."""
        times = [seconds for client in self.clients for seconds in client.answer_seconds]
        return 1000 * (statistics.quantiles(times, n=100)[percent - 1] if len(times) > 1 else sum(times))

    def _batches(self, sender: int, started: float) -> Iterator[Batch]:
        """Yield requests, each when it is due; behind time, at once."""
        choice = random.Random(sender)  # noqa: S311 - the same traffic each time, not a secret
        patterns = [_pattern(choice) for _ in range(_PATTERNS)]
        count = max(1, min(self.batch, round(self.rate / self.senders)))
        for number in itertools.count():
            due = started + number * count * self.senders / self.rate
            if due >= started + self.seconds:
                return
            if self._stopped.wait(max(0.0, due - time.monotonic())):
                return
            yield Batch(
                "/v1/traces",
                self._headers,
                self._request(choice.choice(patterns), (sender << 40) + number * count + 1, count),
                count,
            )

    def _request(self, pattern: tuple[str, bytes], first: int, count: int) -> bytes:
        scope, span_bytes = pattern
        message = ExportTraceServiceRequest()
        group = message.resource_spans.add()
        group.resource.attributes.extend([_text("service.name", SERVICE), _text("deployment.environment.name", "load")])
        scoped = group.scope_spans.add()
        scoped.scope.name, scoped.scope.version = scope, "1.3b0"
        now = time.time_ns()
        for number in range(first, first + count):
            span = Span.FromString(span_bytes)
            span.trace_id = bytes.fromhex(self.run) + struct.pack(">Q", number)
            span.span_id = struct.pack(">Q", number)
            span.end_time_unix_nano = now + number % 1000
            span.start_time_unix_nano = span.end_time_unix_nano - 900_000_000
            scoped.spans.append(span)
        return bytes(message.SerializeToString())


def stored(database: Database, run: str) -> Stored:
    """Return what the ledger has of a run, judged so far."""
    rows, calls = database.query(
        files(__name__).joinpath("stored.sql").read_text("utf-8"), {"service": SERVICE, "run": run}
    ).result_rows[0]
    return Stored(int(rows), int(calls))


def others(database: Database) -> int:
    """Return how many calls the ledger has that no run made."""
    sql = files(__name__).joinpath("others.sql").read_text("utf-8")
    return int(database.query(sql, {"service": SERVICE}).result_rows[0][0])


def _pattern(choice: random.Random) -> tuple[str, bytes]:
    """Return scope and span of a chat call as the official instrumentation writes it, without ids and times."""
    provider, model = choice.choice(_MODELS)
    span = Span(name=f"chat {model}", kind=Span.SPAN_KIND_CLIENT)
    span.attributes.extend([
        _text("gen_ai.operation.name", "chat"), _text("gen_ai.provider.name", provider), _text("gen_ai.request.model", model),
        _text("gen_ai.response.model", model), _text("server.address", f"api.{provider}.com"),
        _text("spanledger.team", f"team-{choice.randrange(20)}"), _text("spanledger.feature", choice.choice(_FEATURES)),
        _text("user.id", f"user-{choice.randrange(2000)}"), _text("session.id", f"session-{choice.randrange(10**6)}"),
        _number("gen_ai.usage.input_tokens", choice.randrange(200, 6000)),
        _number("gen_ai.usage.cache_read.input_tokens", choice.randrange(200)),
        _number("gen_ai.usage.output_tokens", choice.randrange(20, 900)),
    ])  # fmt: skip
    return _SCOPES[provider], span.SerializeToString()


def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _number(key: str, value: int) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(int_value=value))
