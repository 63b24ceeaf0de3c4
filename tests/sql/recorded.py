"""Reads what tests/sql/record.py wrote, as requests that a ledger takes at a time of the test's own."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from spanledger_collector.receiver.door import OtlpRequest
from tests.otlp import SpanSpec, new_id

FOLDER: Final = Path(__file__).with_name("recordings")
RECORDINGS: Final = sorted(file for file in FOLDER.glob("*/*.json") if file.parent.name != "dumps")
DUMPS: Final[dict[str, dict[str, list[dict[str, Any]]]]] = {
    # the vendor of those recordings named its models after a day that no model has
    file.stem: json.loads(file.read_text().replace("-2025-01-01", ""))
    for file in sorted((FOLDER / "dumps").glob("*.json"))
}
COUNTS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)
# USD per million: input, cache read, write 5 minutes, write an hour, output
PRICES: Final = {
    "gpt-4o-mini": ("0.15", "0.075", "0.15", "0.15", "0.6"),
    "gpt-5-mini": ("0.25", "0.025", "0.25", "0.25", "2"),
    "o4-mini": ("1.1", "0.275", "1.1", "1.1", "4.4"),
    "claude-sonnet-4-5": ("3", "0.3", "3.75", "6", "15"),
    "text-embedding-3-small": ("0.02", "0.02", "0.02", "0.02", "0"),
}


def cost(model: str, counts: dict[str, int]) -> Decimal:
    """Return what a call costs by the price list, worked out by hand."""
    name = next(name for name in PRICES if model.startswith(name))
    rest = counts["input_tokens"] - counts["cache_read_tokens"] - counts["cache_write_tokens"]
    short = counts["cache_write_tokens"] - counts["cache_write_1h_tokens"]
    amounts = (rest, counts["cache_read_tokens"], short, counts["cache_write_1h_tokens"], counts["output_tokens"])
    return (
        sum((amount * Decimal(price) for amount, price in zip(amounts, PRICES[name], strict=True)), Decimal()) / 10**6
    )


def requests(recording: dict[str, Any], at: float) -> list[OtlpRequest]:
    """Return a recording's requests, one for each scope, as if it began at that time."""
    traces = recording["traces"]["resourceSpans"]
    begun = min(
        int(span["startTimeUnixNano"]) for of in traces for scope in of["scopeSpans"] for span in scope["spans"]
    )
    moved = _moved(traces, (int(at) - begun // 10**9) * 10**9)
    return [
        OtlpRequest("traces", "json", json.dumps({"resourceSpans": [{**of, "scopeSpans": [scope]}]}).encode())
        for of in moved
        for scope in of["scopeSpans"]
    ]


def _moved(value: Any, nanoseconds: int) -> Any:
    if isinstance(value, dict):
        return {
            key: str(int(item) + nanoseconds) if key.endswith("UnixNano") else _moved(item, nanoseconds)
            for key, item in value.items()
        }
    return [_moved(item, nanoseconds) for item in value] if isinstance(value, list) else value


def dumped(spans: list[dict[str, Any]], at: float) -> list[SpanSpec]:
    """Return the spans of a dump; one with a parent in it is the child of the longest without."""
    trace, root = new_id(), new_id()
    outer = max((span for span in spans if not span["parent"]), key=lambda span: span["milliseconds"], default=None)
    return [
        SpanSpec(
            at + (0.001 if span["parent"] else 0),
            at + 0.002 + span["milliseconds"] / 1000,
            _with_own_id(span["attributes"], trace),
            trace=trace,
            span=root if span is outer else new_id(),
            parent=root if span["parent"] and outer else 0,
            scope=span["scope"],
            version=span["version"],
            name=span["name"],
            error=span["error"],
        )
        for span in spans
    ]


def _with_own_id(attributes: dict[str, Any], trace: int) -> dict[str, Any]:
    """Return attributes with a response id as long as a real one: that vendor gave the same short one to every call."""
    name = "gen_ai.response.id"
    return {**attributes, name: f"{attributes[name]}{trace:032}"} if name in attributes else attributes


def truth() -> dict[str, dict[str, str]]:
    """Return what the vendor billed in each case of the dumps."""
    with (FOLDER / "dumps" / "truth.csv").open() as file:
        return {row["case"]: row for row in csv.DictReader(file)}
