"""Reads the OTLP requests of one file, whatever form it has, in pieces that fit into memory."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from spanledger_collector.exceptions import InputError
from spanledger_collector.otlp_files.json_otlp import requests
from spanledger_collector.otlp_files.json_text import JsonText
from spanledger_collector.otlp_files.protobuf import entries
from spanledger_collector.otlp_files.source import Source, opened
from spanledger_collector.otlp_files.wire import BrokenWireError, cut_resource, delimited, signal_of
from spanledger_collector.receiver.door import OtlpRequest, Signal

__all__ = ["BODY_BYTES_MAX", "read_requests"]

BODY_BYTES_MAX: Final = 4_000_000
"""A body is about this large at most; only a single span that is larger makes a larger one."""
_HEAD_BYTES: Final = 4_096
_JSON_NAMES: Final = (".json", ".jsonl", ".ndjson")
_JSON_START: Final = re.compile(rb'[{\[]\s*["{}\]]')
_PROTOBUF_NAMES: Final = (".pb", ".binpb", ".proto", ".bin")


def read_requests(
    path: Path, on_progress: Callable[[int], None] | None = None, *, bytes_max: int = BODY_BYTES_MAX
) -> Iterator[OtlpRequest]:
    """Yield the requests of a file in order: traces, logs and metrics, told apart by what they hold.

    The file is protobuf (one request, several one after the other, or each with its length before it) or JSON (one
    request, one a line, or an array), plain or compressed with gzip or zstd. ``on_progress`` is called with the bytes of
    the file that were read so far. InputError says in a sentence what is wrong with the file; a damaged one yields first
    what is before the damage.
    """
    with opened(path, on_progress) as source:
        is_empty = True
        for request in requests(JsonText(source), bytes_max) if _is_json(source) else _of_protobuf(source, bytes_max):
            is_empty = False
            yield request
        if is_empty:
            raise InputError(f"{path} holds no OTLP records: there is nothing to read in it.")


def _is_json(source: Source) -> bool:
    head = source.read(_HEAD_BYTES)
    source.put_back(head)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    names = {suffix.lower() for suffix in source.path.suffixes}
    if names & set(_PROTOBUF_NAMES):
        return False
    return bool(names & set(_JSON_NAMES)) or _JSON_START.match(text) is not None


def _of_protobuf(source: Source, bytes_max: int) -> Iterator[OtlpRequest]:
    """Yield bodies of about ``bytes_max``: entries of one signal that follow each other."""
    pending: list[bytes] = []
    size, signal = 0, None
    try:
        for entry, found in _small_entries(source, bytes_max):
            kind = found or signal or "traces"
            if pending and (kind != signal or size + len(entry) > bytes_max):
                yield _joined(signal, pending)
                pending, size = [], 0
            signal = kind
            pending.append(entry)
            size += len(entry)
    except InputError:
        if pending:
            yield _joined(signal, pending)
        raise
    if pending:
        yield _joined(signal, pending)


def _small_entries(source: Source, bytes_max: int) -> Iterator[tuple[bytes, Signal | None]]:
    for entry in entries(source):
        try:
            for piece in cut_resource(entry, bytes_max) if len(entry) > bytes_max else (entry,):
                yield piece, signal_of(piece, 0, len(piece))
        except BrokenWireError as error:
            offset = source.offset - len(entry) + error.offset
            raise InputError(
                f"{source.path}, byte {offset}: the record that holds this byte is damaged. "
                "What came before it was read; export or copy the file again."
            ) from error


def _joined(signal: Signal | None, batch: list[bytes]) -> OtlpRequest:
    return OtlpRequest(signal or "traces", "protobuf", b"".join(delimited(0x0A, entry) for entry in batch))
