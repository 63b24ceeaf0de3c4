"""Recorded telemetry in every form that `spanledger replay` takes, and what it costs."""

import gzip
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.otlp import SpanSpec, chat, request
from tests.otlp_json import as_otlp_json

__all__ = ["CALLS", "COST_USD", "FORMS", "OF_RECORDED", "Files", "record"]

SERVICE = "recorded"
FORMS = ("calls.pb", "calls.jsonl", "calls.pb.gz", "calls.json.gz")
CALLS = 16
COST_USD = "0.00336"
"""Each call is 1,000 tokens of gpt-4o-mini in, at 0.15 USD per million, and 100 out, at 0.60."""
OF_RECORDED = (
    f"select count() as calls, toString(sum(cost_usd)) as cost_usd from calls where service = '{SERVICE}' "
    "format JSONEachRow"
)


@dataclass(frozen=True)
class Files:
    """Recorded files: good ones, and bad ones of every kind with what is said about them."""

    good: list[Path]
    bad: dict[str, Path]


def record(folder: Path, start: float) -> Files:
    """Write files of four calls each."""
    groups = [
        [chat(start + number, service=SERVICE, extra={"spanledger.team": "search"}) for number in range(4)]
        for _ in FORMS
    ]
    pb, jsonl, packed_pb, packed_json = groups
    contents = {
        "calls.pb": request(pb).body,
        "calls.jsonl": b"".join(_json(jsonl[half : half + 2]) + b"\n" for half in (0, 2)),
        "calls.pb.gz": gzip.compress(request(packed_pb).body),
        "calls.json.gz": gzip.compress(_json(packed_json)),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return Files([folder / name for name in FORMS], _bad(folder, request(pb).body))


def _json(spans: list[SpanSpec]) -> bytes:
    return as_otlp_json(MessageToDict(ExportTraceServiceRequest.FromString(request(spans).body))).body


def _bad(folder: Path, body: bytes) -> dict[str, Path]:
    contents = {
        "is cut off": ("cut.pb", body[:-10]),
        "is not OTLP in protobuf": ("photo.pb", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        "is empty": ("empty.json", b""),
        "line 2: this is not OTLP": ("half.jsonl", b'{"resourceSpans":[]}\nSun Nov 22 ERROR\n'),
        "so it is not OTLP": ("package.json", b'{"name": "left-pad"}'),
        "line 1: this is not OTLP": ("long.json", b"x" * 1_000_000),
        "compressed data": ("cut.pb.gz", gzip.compress(body)[:-20]),
    }
    bad = {"is a folder": folder, "There is no file": folder / "nothing.pb"}
    for said, (name, content) in contents.items():
        (folder / name).write_bytes(content)
        bad[said] = folder / name
    return bad
