"""The demo's application as a process of its own: real clients, real SDK, OTLP on the wire."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanledger_collector.demo.company import team_of_key
from spanledger_collector.demo.plan import plan
from spanledger_collector.demo.vendor import VendorServer

CALLS, SEED = 70, 5


class Sink(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SinkHandler)
        self.spans: list[dict[str, Any]] = []
        self.log_requests = 0


class SinkHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        assert isinstance(self.server, Sink)
        if self.path == "/v1/traces":
            self.server.spans += spans_in(body)
        else:
            self.server.log_requests += 1
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def spans_in(body: bytes) -> list[dict[str, Any]]:
    return [
        {"scope": scoped.scope.name, "name": span.name}
        | {item.key: item.value.string_value or item.value.int_value for item in span.attributes}
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scoped in resource.scope_spans
        for span in scoped.spans
    ]


@pytest.fixture(scope="module")
def ran() -> Iterator[tuple[VendorServer, Sink, list[dict[str, Any]]]]:
    with Sink() as sink, VendorServer() as vendor:
        threading.Thread(target=sink.serve_forever, args=(0.02,), daemon=True).start()
        command = [sys.executable, "-W", "error", "-m", "spanledger_collector.demo.application"]
        arguments = ["--calls", str(CALLS), "--seed", str(SEED), "--vendor", vendor.url]
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{sink.server_port}"}
        done = subprocess.run(
            command + arguments, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert (done.returncode, done.stderr) == (0, "")
        yield vendor, sink, [json.loads(line) for line in done.stdout.splitlines()]
        sink.shutdown()


Ran = tuple[VendorServer, Sink, list[dict[str, Any]]]


def test_it_reports_its_progress_and_how_it_ended(ran: Ran) -> None:
    *_, lines = ran

    made = sum(len(job.calls) for job in plan(CALLS, SEED))
    assert lines[-1]["event"] == "done"
    assert lines[-1]["calls"] == made == CALLS
    assert {line["event"] for line in lines[:-1]} <= {"progress"}


def test_only_the_planned_mishaps_end_in_errors(ran: Ran) -> None:
    *_, lines = ran

    fatal = {"e400", "e429", "e500", "timeout", "midstream"}
    planned = sum(call.case in fatal for job in plan(CALLS, SEED) for call in job.calls)
    assert sum(lines[-1]["errors"].values()) == planned > 0
    assert set(lines[-1]["errors"]) <= {
        "APIConnectionError",
        "APITimeoutError",
        "BadRequestError",
        "InternalServerError",
        "RateLimitError",
        "RemoteProtocolError",
    }


def test_every_call_has_a_span_under_the_team_whose_key_paid_for_it(ran: Ran) -> None:
    vendor, sink, _ = ran

    teams = {
        span["gen_ai.response.id"]: span.get("spanledger.team", "")
        for span in sink.spans
        if "gen_ai.response.id" in span
    }
    billed = {
        entry.response_id: team_of_key(entry.api_key) for entry in vendor.bill if entry.usage_told and entry.response_id
    }
    assert teams.items() >= billed.items()
    assert len(billed) > CALLS / 2


def test_an_agent_wraps_its_steps_and_tools(ran: Ran) -> None:
    _, sink, _ = ran

    agents = [span for span in sink.spans if span["name"] == "invoke_agent code-reviewer"]
    steps = {span.get("spanledger.agent.step") for span in sink.spans}
    assert agents
    assert {"plan", "read", "review"} <= steps
    assert any(span["name"] == "execute_tool read_file" for span in sink.spans)


def test_outcomes_travel_as_log_records(ran: Ran) -> None:
    _, sink, _ = ran

    assert sink.log_requests > 0


def test_the_vendor_learns_nothing_of_tags_and_traces(ran: Ran) -> None:
    vendor, _, _ = ran

    headers = {name for request in vendor.requests for name in request.headers}
    values = " ".join(value for request in vendor.requests for value in request.headers.values())
    assert not headers & {"traceparent", "tracestate", "baggage"}
    assert "support-chat" not in values
    assert ".example" not in values
