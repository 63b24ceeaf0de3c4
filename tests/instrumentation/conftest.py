"""A ledger endpoint and a vendor on this machine, and one running instrumentation between them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import tomllib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

import spanledger
from spanledger.once import forget_warnings
from spanledger_collector.demo.vendor import VendorServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue


@dataclass(frozen=True)
class ReceivedSpan:
    name: str
    scope: str
    trace_id: str
    span_id: str
    parent_id: str
    is_error: bool
    attributes: dict[str, Any]
    resource: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class ReceivedLog:
    event_name: str
    trace_id: str
    attributes: dict[str, Any]


def _values(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair) for pair in pairs}


def _value(pair: KeyValue) -> Any:
    kind = pair.value.WhichOneof("value") or ""
    if kind == "array_value":
        return [item.string_value for item in pair.value.array_value.values]
    return getattr(pair.value, kind)


class LedgerServer:
    """Receives OTLP/HTTP as the collector does and keeps what came."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        self.headers: list[dict[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                server.headers.append({key.lower(): value for key, value in self.headers.items()})
                server.bodies.append((self.path, body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def raw(self) -> bytes:
        """Everything that arrived, to search for what must not."""
        return b"\n".join(body for _, body in self.bodies)

    @property
    def spans(self) -> list[ReceivedSpan]:
        """Spans in the order of their start."""
        spans = []
        for path, body in list(self.bodies):
            if path == "/v1/traces":
                spans += _spans(ExportTraceServiceRequest.FromString(body))
        return [span for _, span in sorted(spans, key=lambda pair: pair[0])]

    @property
    def logs(self) -> list[ReceivedLog]:
        return [
            ReceivedLog(record.event_name, record.trace_id.hex(), _values(record.attributes))
            for path, body in list(self.bodies)
            if path == "/v1/logs"
            for resource in ExportLogsServiceRequest.FromString(body).resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]


def _spans(request: ExportTraceServiceRequest) -> list[tuple[int, ReceivedSpan]]:
    return [
        (
            span.start_time_unix_nano,
            ReceivedSpan(
                name=span.name,
                scope=scope.scope.name,
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex(),
                is_error=span.status.code == Status.STATUS_CODE_ERROR,
                attributes=_values(span.attributes),
                resource=_values(resource.resource.attributes),
            ),
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


class Metered:
    """What a test of a running instrumentation needs: the ledger it sends to, and a way to wait for it."""

    def __init__(self, ledger: LedgerServer, handle: spanledger.Instrumentation) -> None:
        self.ledger = ledger
        self.handle = handle

    def collect(self) -> list[ReceivedSpan]:
        """Deliver what is queued and return every span of this test."""
        assert self.handle.force_flush()
        return self.ledger.spans


@pytest.fixture(scope="session")
def instrumented() -> Iterator[Metered]:
    ledger = LedgerServer()
    handle = spanledger.instrument(
        endpoint=ledger.url, service_name="checkout", environment="test", feature="default-feature"
    )
    yield Metered(ledger, handle)
    handle.shutdown()
    ledger.stop()


@pytest.fixture
def metered(instrumented: Metered) -> Metered:
    """Return the one instrumentation of the test process, with an empty ledger."""
    instrumented.handle.force_flush()
    instrumented.ledger.bodies.clear()
    instrumented.ledger.headers.clear()
    return instrumented


@pytest.fixture
def ledger() -> Iterator[LedgerServer]:
    server = LedgerServer()
    yield server
    server.stop()


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with VendorServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _every_warning_speaks_again() -> None:
    forget_warnings()


@pytest.fixture(scope="session")
def _metadata(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a folder with the entry points of a checkout that is not installed; empty when it is installed."""
    try:
        distribution("spanledger")
    except PackageNotFoundError:
        folder: Path = tmp_path_factory.mktemp("metadata")
    else:
        return ""
    return write_metadata(folder)


def write_metadata(folder: Path) -> str:
    """Write the entry points of the checkout where importlib.metadata finds them; return the folder."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    info = folder / f"spanledger-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: spanledger\nVersion: {project['version']}\n")
    groups = project["entry-points"].items()
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items()) for group, points in groups
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return str(folder)


@pytest.fixture
def run_app(tmp_path: Path, _metadata: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    return app_runner(tmp_path, _metadata)


def app_runner(folder: Path, metadata: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a program of its own: plainly, or under opentelemetry-instrument."""
    paths = [str(Path(spanledger.__file__).parents[1]), *filter(None, [metadata, os.environ.get("PYTHONPATH", "")])]
    base = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "SPANLEDGER_"))}

    def run(
        code: str, *, zero_code: bool = False, arguments: tuple[str, ...] = ("app.py",), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        (folder / "app.py").write_text(code)
        tool = [str(Path(sys.executable).with_name("opentelemetry-instrument"))] if zero_code else []
        environ = {**base, "PYTHONPATH": os.pathsep.join(paths), "ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
        return subprocess.run(
            [*tool, sys.executable, *arguments],
            cwd=folder,
            env={**environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
