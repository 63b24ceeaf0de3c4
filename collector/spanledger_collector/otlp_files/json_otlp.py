"""OTLP/JSON requests out of a file: one, one a line, one after the other, or an array of them; of any size."""

import json
from collections.abc import Iterator
from typing import Any, Final

from spanledger_collector.exceptions import InputError
from spanledger_collector.otlp_files.json_names import is_plain, plain
from spanledger_collector.otlp_files.json_text import JsonText
from spanledger_collector.receiver.door import OtlpRequest, Signal

__all__ = ["requests"]

_SIGNALS: Final[dict[str, Signal]] = {
    "resourceSpans": "traces",
    "resource_spans": "traces",
    "resourceLogs": "logs",
    "resource_logs": "logs",
    "resourceMetrics": "metrics",
    "resource_metrics": "metrics",
}
_ENTRIES: Final[dict[Signal, str]] = {"traces": "resourceSpans", "logs": "resourceLogs", "metrics": "resourceMetrics"}
_SCOPES: Final = ("scopeSpans", "scopeLogs", "scopeMetrics")
_ITEMS: Final = ("spans", "logRecords", "metrics")


def requests(text: JsonText, bytes_max: int) -> Iterator[OtlpRequest]:
    """Yield the requests of a text, cut to about ``bytes_max`` each; InputError after the last good one."""
    while (char := text.next_char()) != "":
        if char == "[":
            for _ in text.elements():
                yield from _request(text, bytes_max)
        else:
            yield from _request(text, bytes_max)


def _request(text: JsonText, bytes_max: int) -> Iterator[OtlpRequest]:
    if text.next_char() != "{":
        text.fail("an object with resourceSpans or resourceLogs is expected")
    line = text.line
    whole = text.value(bytes_max)
    if whole is None:
        yield from _large_request(text, bytes_max)
        return
    document, original = whole
    signals = {_SIGNALS[key] for key in document if key in _SIGNALS}
    if not signals and document:
        keys = ", ".join(list(document)[:5])
        text.refuse(line, f"this JSON has no resourceSpans or resourceLogs, so it is not OTLP; its keys are {keys}")
    for key in document.keys() & _SIGNALS.keys():
        entries = document[key]
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            text.refuse(line, f"{key} is not an array of objects, so this is not OTLP")
    if len(signals) == 1 and len(original.encode()) <= bytes_max and is_plain(document):
        yield OtlpRequest(signals.pop(), "json", original.encode())
        return
    for key, entries in document.items():
        if key in _SIGNALS:
            yield from _batches(_SIGNALS[key], ((entry, "") for entry in entries), bytes_max)


def _large_request(text: JsonText, bytes_max: int) -> Iterator[OtlpRequest]:
    for key in text.members():
        signal = _SIGNALS.get(key)
        if signal is None:
            if text.value() is None:
                text.fail(f"the value of {key} is too large")
            continue
        yield from _batches(signal, _entries(text), bytes_max)


def _entries(text: JsonText) -> Iterator[tuple[Any, str]]:
    for _ in text.elements():
        if text.next_char() != "{":
            text.fail("an object is expected for each resource")
        entry = text.value()
        if entry is None:
            text.fail("one resource is too large; export smaller batches")
        yield entry


def _batches(signal: Signal, entries: Iterator[tuple[Any, str]], bytes_max: int) -> Iterator[OtlpRequest]:
    """Yield requests of about ``bytes_max`` from entries and their texts (empty: not known)."""
    pending: list[bytes] = []
    size = 0
    try:
        for entry, original in entries:
            for body in _entry_bodies(entry, original, bytes_max):
                if pending and size + len(body) > bytes_max:
                    yield _joined(signal, pending)
                    pending, size = [], 0
                pending.append(body)
                size += len(body)
    except InputError:
        if pending:
            yield _joined(signal, pending)
        raise
    if pending:
        yield _joined(signal, pending)


def _joined(signal: Signal, bodies: list[bytes]) -> OtlpRequest:
    return OtlpRequest(signal, "json", b'{"%s":[%s]}' % (_ENTRIES[signal].encode(), b",".join(bodies)))


def _entry_bodies(entry: Any, original: str, bytes_max: int) -> Iterator[bytes]:
    if not is_plain(entry):
        entry, original = plain(entry), ""
    body = original.encode() if original else _dumped(entry)
    if len(body) <= bytes_max or not isinstance(entry, dict):
        yield body
        return
    for piece in _pieces(entry, bytes_max):
        yield _dumped(piece)


def _pieces(entry: dict[str, Any], bytes_max: int) -> Iterator[dict[str, Any]]:
    """Cut one resource entry between its items; each piece repeats the resource and the scope."""
    scopes_key = next((key for key in _SCOPES if isinstance(entry.get(key), list)), "")
    scopes = [scope for scope in entry.get(scopes_key, []) if isinstance(scope, dict)]
    if not scopes:
        yield entry
    for scope in scopes:
        items_key = next((key for key in _ITEMS if isinstance(scope.get(key), list)), "")
        pending: list[Any] = []
        size = 0
        for item in scope.get(items_key, []):
            item_size = len(_dumped(item))
            if pending and size + item_size > bytes_max:
                yield {**entry, scopes_key: [{**scope, items_key: pending}]}
                pending, size = [], 0
            pending.append(item)
            size += item_size
        yield {**entry, scopes_key: [{**scope, items_key: pending} if items_key else scope]}


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
