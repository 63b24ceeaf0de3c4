"""Every emitter, recorded: OTLP bytes in, the view `calls` out, with the vendor's own counts and the exact cost."""

import json
from pathlib import Path
from typing import Any

import pytest

from spanledger_collector.receiver.door import OtlpRequest
from tests.ledger import Ledger

RECORDINGS = sorted(Path(__file__).with_name("recordings").glob("*/*.json"))
COUNTS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)


def moved(message: dict[str, Any], seconds: int) -> dict[str, Any]:
    """Return an OTLP message as if it had been recorded at another time."""
    text = json.dumps(message)
    return json.loads(
        text,
        object_hook=lambda value: {
            key: str(int(item) + seconds * 10**9) if key.endswith("UnixNano") else item for key, item in value.items()
        },
    )


def started(recording: dict[str, Any]) -> int:
    spans = [
        span for of in recording["traces"]["resourceSpans"] for scope in of["scopeSpans"] for span in scope["spans"]
    ]
    return min(int(span["startTimeUnixNano"]) for span in spans) // 10**9


def requests(recording: dict[str, Any], at: float) -> list[OtlpRequest]:
    seconds = int(at) - started(recording)
    return [
        OtlpRequest(kind, "json", json.dumps(moved(recording[kind], seconds)).encode())
        for kind in ("traces", "logs")
        if kind in recording
    ]


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_x(ledger: Ledger, recently: float, file: Path) -> None:
    recording = json.loads(file.read_text())
    ledger.deliver_requests(*requests(recording, recently))
    calls = ledger.booked()
    got = [tuple(call[name] for name in COUNTS) for call in calls]
    want = [
        tuple(
            0 if name == "cache_write_1h_tokens" and entry["provider"] == "openai" else entry[name] for name in COUNTS
        )
        for entry in recording["truth"]
    ]
    print([(c["provider"], c["model"], c["emitter"], c["usage_rule"], c["completeness"], c["cost_usd"]) for c in calls])
    assert got == want
