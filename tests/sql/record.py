"""Records what real libraries emit: `python -m tests.sql.record [EMITTER...]`, with network, PyPI and npm; the tests need none of them.

Each library runs in an environment of its own against a vendor on this machine, which says what it billed. Its OTLP goes to
`recordings/EMITTER/CASE.json`, beside that truth; what was said in the calls is left out.
"""

import gzip
import json
import os
import re
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanledger_collector.demo.vendor import Handler, VendorServer
from tests.otlp_json import hex_ids

HERE: Final = Path(__file__).parent
RECORDINGS: Final = HERE / "recordings"
ENVIRONMENTS: Final = Path(os.environ.get("RECORD_ENVIRONMENTS", "~/.cache/spanledger-recording")).expanduser()
OTLP: Final = "opentelemetry-exporter-otlp-proto-http"
NODE_OTLP: Final = "@opentelemetry/exporter-trace-otlp-proto"
PACKAGES: Final[dict[str, tuple[str, ...]]] = {
    "pydantic_ai": ("pydantic-ai-slim[openai,anthropic]", "logfire"),
    "pydantic_ai_1": ("pydantic-ai-slim[openai,anthropic]<2", OTLP),
    "litellm": ("litellm", OTLP),
    "langfuse": ("langfuse", "openai", OTLP),
    "strands": ("strands-agents[openai,anthropic]", OTLP),
    "google_adk": ("google-adk", "litellm", "mcp", "opentelemetry-sdk<1.45", f"{OTLP}<1.45"),
    "agent_framework": ("agent-framework-core", "agent-framework-openai", OTLP),
    "openlit": ("openlit", "openai<3", "anthropic<1"),
    "vercel": ("ai@6", "@ai-sdk/openai@3", "zod", "@opentelemetry/sdk-trace-node", NODE_OTLP),
    "vercel_4": ("ai@4", "@ai-sdk/openai@1", "zod@3", "@opentelemetry/sdk-trace-node", NODE_OTLP),
    "vercel_7": ("ai@7", "@ai-sdk/openai", "@ai-sdk/otel", "zod", "@opentelemetry/sdk-trace-node", NODE_OTLP),
}
# What the vendor answers to the first request of a case, to the second, and so on; the last one stays.
FATES: Final = {"agent": ["tool", "plain"]}
USUAL_FATE: Final = ["cached"]
CONTENT: Final = re.compile(
    r"message|content|instruction|definition|schema|argument|parameters|\.value$|prompt|completion|choice|tools?$|settings|response\.text|"
    r"response_data|^request_data|^events$|tool_response|result|description|traceback|^process\.|^host\.|^url\.|\.input$|\.output$|hidden_params|api_base|callback|^metadata\.|event_loop|ai\.value|toolCalls|toolCall\."
)
COUNTS: Final = re.compile(r"usage|token|cost|finish")
LONG_CHARS: Final = 600


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is exported to it."""

    def do_POST(self) -> None:
        body = (
            self.chunked()
            if "transfer-encoding" in self.headers
            else self.rfile.read(int(self.headers["content-length"]))
        )
        body = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
        self.server.received.append((self.path, body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def chunked(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        return body

    def log_message(self, *_: Any) -> None:
        pass


class FatedHandler(Handler):
    """Gives each request the next fate of the case: the libraries need not know of it."""

    def parse_request(self) -> bool:
        is_good = super().parse_request()
        if is_good and "x-demo-case" not in self.headers:
            fates = self.server.fates  # type: ignore[attr-defined]
            self.headers["x-demo-case"] = fates.pop(0) if len(fates) > 1 else fates[0]
        return is_good


@contextmanager
def receiving() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    received: list[tuple[str, bytes]] = []
    server.received = received  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", received
    server.shutdown()


def record(emitter: str, case: str, command: list[str]) -> dict[str, Any]:
    """Run one case and return its recording."""
    fates = list(FATES.get(case.rpartition("_")[2], USUAL_FATE))
    with VendorServer() as vendor, receiving() as (url, received):
        vendor._server.RequestHandlerClass = FatedHandler
        vendor._server.fates = fates  # type: ignore[attr-defined]
        environment = {
            **os.environ,
            "OPENAI_BASE_URL": f"{vendor.url}/v1",
            "ANTHROPIC_BASE_URL": vendor.url,
            "OPENAI_API_KEY": "key",
            "ANTHROPIC_API_KEY": "key",
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_SERVICE_NAME": "app",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "LANGFUSE_HOST": url,
        }
        environment.pop("PYTHONPATH", None)
        subprocess.run([*command, case], env=environment, check=True, timeout=120, cwd=HERE)
        bill = vendor.bill
    truth = [
        {
            "provider": entry.provider,
            "model": entry.model_raw,
            "response_id": entry.response_id,
            "usage_told": entry.usage_told,
            **asdict(entry.meters),
        }
        for entry in bill
    ]
    return {"emitter": emitter, "case": case, "truth": truth, **otlp(received)}


def otlp(received: list[tuple[str, bytes]]) -> dict[str, Any]:
    traces, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
    for path, body in received:
        if path.endswith("/traces"):
            traces.MergeFromString(body)
        elif path.endswith("/logs"):
            logs.MergeFromString(body)
    found = {"traces": hex_ids(MessageToDict(traces)), "logs": hex_ids(MessageToDict(logs))}
    return {signal: silenced(message) for signal, message in found.items() if message}


def silenced(value: Any) -> Any:
    """Return a message without what was said in the calls, and without what tells of the machine."""
    if isinstance(value, dict):
        return {
            key: [silenced(one) for one in item if is_kept(one)] if key == "attributes" else silenced(item)
            for key, item in value.items()
            if key not in {"body", "events", "links", "schemaUrl"}
        }
    return [silenced(item) for item in value] if isinstance(value, list) else value


def is_kept(attribute: dict[str, Any]) -> bool:
    name, text = attribute["key"], json.dumps(attribute["value"])
    if name.startswith("telemetry.") or "127.0.0.1" in text:
        return False
    return bool(COUNTS.search(name)) or (not CONTENT.search(name) and len(text) < LONG_CHARS)


def command_of(emitter: str) -> tuple[list[str], dict[str, str]]:
    """Return what runs the emitter's cases, and the versions of its packages; install them if they are missing."""
    folder = ENVIRONMENTS / emitter
    if emitter.startswith("vercel"):
        if not folder.is_dir():
            folder.mkdir(parents=True)
            subprocess.run(["npm", "install", "--silent", *PACKAGES[emitter]], cwd=folder, check=True)
        (folder / "recorders.mjs").write_text((HERE / "recorders.mjs").read_text())
        installed = json.loads((folder / "package-lock.json").read_text())["packages"]
        names = [
            name for name in installed if name.removeprefix("node_modules/") in {"ai", "@ai-sdk/openai", "@ai-sdk/otel"}
        ]
        return ["node", str(folder / "recorders.mjs")], {
            name.removeprefix("node_modules/"): installed[name]["version"] for name in names
        }
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES[emitter]], check=True)
    show = "import importlib.metadata as m, json, re, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    names = [
        re.split(r"[\[<>=]", name)[0] for name in (*PACKAGES[emitter], "openai") if not name.startswith("opentelemetry")
    ]
    versions = subprocess.run([python, "-c", show, *names], check=True, capture_output=True, text=True).stdout
    return [str(python), str(HERE / "recorders.py"), emitter], json.loads(versions)


def main(emitters: list[str]) -> None:
    for emitter in emitters or PACKAGES:
        command, versions = command_of(emitter)
        cases = subprocess.run([*command, "--list"], check=True, capture_output=True, text=True).stdout.split()
        for case in cases:
            file = RECORDINGS / emitter / f"{case}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            recording = {"packages": versions, **record(emitter, case, command)}
            file.write_text(json.dumps(recording, indent=1) + "\n")
            print(file.relative_to(HERE), len(recording["truth"]), "billed")  # noqa: T201 - it is a command


if __name__ == "__main__":
    main(sys.argv[1:])
