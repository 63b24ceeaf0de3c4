"""Resource entries out of a protobuf file, whichever way its messages follow each other."""

import contextlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from spanledger_collector.exceptions import InputError
from spanledger_collector.otlp_files.source import Source
from spanledger_collector.otlp_files.wire import BrokenWireError, varint

__all__ = ["ENTRY_BYTES_MAX", "entries"]

ENTRY_BYTES_MAX: Final = 256_000_000
"""Largest resource entry that is read; one is held in memory at a time."""
_MESSAGE_BYTES_MAX: Final = 2**31 - 1
"""Protobuf's own limit; four bytes that say more are the beginning of something else."""
_HEAD_BYTES: Final = 65_536
_ENTRY_TAG: Final = 0x0A
# First byte of a resource entry: resource, scope entry, schema URL, or the deprecated field 1000.
_INNER_TAGS: Final = frozenset({0x0A, 0x12, 0x1A, 0xC2})
# First byte of a resource: attributes, dropped attributes, entity references.
_RESOURCE_TAGS: Final = frozenset({0x0A, 0x10, 0x1A})
# First byte of a scope entry: scope, item, schema URL.
_SCOPE_TAGS: Final = frozenset({0x0A, 0x12, 0x1A})


def entries(source: Source) -> Iterator[bytes]:
    """Yield the resource entries (without tag and length) of a file of requests, or of TracesData and the like.

    The messages stand one after the other, or each has its length before it: a varint, or four bytes, big end first.
    InputError, after everything that could be read, when the file is cut off or something else.
    """
    head = source.read(_HEAD_BYTES)
    source.put_back(head)
    if _is_message(head, 0, None):
        yield from _message(source, None)
        return
    for length_of in (_four_bytes, _varint_before):
        if _is_framed(head, length_of):
            while (size := length_of(source)) is not None:
                yield from _message(source, size)
            return
    raise InputError(
        f"{source.path} is not OTLP in protobuf: its first bytes are {head[:8].hex(' ')}. "
        "Give files of export requests, as the Collector's file exporter writes them."
    )


def _is_message(head: bytes, start: int, size: int | None) -> bool:
    """Tell whether a request of ``size`` bytes (None: any number) may begin here, as far as the head shows."""
    offset, end = start, None if size is None else start + size
    while offset < len(head) and (end is None or offset < end):
        if head[offset] != _ENTRY_TAG:
            return False
        try:
            length, value = varint(head, offset + 1)
        except BrokenWireError:
            return offset + 11 > len(head)
        if (end is not None and value + length > end) or not _is_entry(head, value, length):
            return False
        offset = value + length
    return start < len(head)


def _is_entry(head: bytes, offset: int, length: int) -> bool:
    if length == 0 or offset >= len(head):
        return True
    inner = {0x0A: _RESOURCE_TAGS, 0x12: _SCOPE_TAGS}.get(head[offset])
    if inner is None or offset + 1 >= len(head):
        return head[offset] in _INNER_TAGS
    try:
        size, value = varint(head, offset + 1)
    except BrokenWireError:
        return offset + 11 > len(head)
    return size == 0 or value >= len(head) or head[value] in inner


def _is_framed(head: bytes, length_of: Callable[[Source], int | None]) -> bool:
    probe = Source(Path(), BytesIO(head), BytesIO(head), None)
    is_seen = False
    with contextlib.suppress(InputError):  # the head may end inside a length
        while (size := length_of(probe)) is not None:
            if size and not _is_message(head, probe.offset, size):
                return probe.offset >= len(head) and is_seen
            is_seen = is_seen or size > 0
            if len(probe.read(size)) < size:
                break
    return is_seen


def _message(source: Source, size: int | None) -> Iterator[bytes]:
    """Yield the entries of a message of ``size`` bytes, or of everything that is left."""
    end = None if size is None else source.offset + size
    while end is None or source.offset < end:
        start = source.offset
        tag = source.read(1)
        if not tag and end is None:
            return
        if tag != bytes([_ENTRY_TAG]):
            raise _cut_off(source, start) if not tag else _foreign(source, start)
        length = _varint_of(source, start)
        if end is not None and source.offset + length > end:
            raise _foreign(source, start)
        if length > ENTRY_BYTES_MAX:
            raise InputError(
                f"{source.path}, byte {start}: one resource has {length} bytes, more than {ENTRY_BYTES_MAX}. "
                "Export smaller batches."
            )
        entry = source.read(length)
        if len(entry) < length:
            raise _cut_off(source, start)
        yield entry


def _four_bytes(source: Source) -> int | None:
    start = source.offset
    data = source.read(4)
    if 0 < len(data) < 4:
        raise _cut_off(source, start)
    size = int.from_bytes(data, "big")
    if size > _MESSAGE_BYTES_MAX:
        raise _foreign(source, start)
    return size if data else None


def _varint_before(source: Source) -> int | None:
    start = source.offset
    first = source.read(1)
    source.put_back(first)
    return _varint_of(source, start) if first else None


def _varint_of(source: Source, start: int) -> int:
    data = source.read(10)
    try:
        value, used = varint(data, 0)
    except BrokenWireError:
        raise (_foreign if len(data) == 10 else _cut_off)(source, start) from None
    source.put_back(data[used:])
    return value


def _cut_off(source: Source, start: int) -> InputError:
    return InputError(
        f"{source.path} is cut off: the record at byte {start} has no end. "
        "What came before it was read; copy the file again."
    )


def _foreign(source: Source, start: int) -> InputError:
    return InputError(
        f"{source.path}, byte {start}: no OTLP record begins here. What came before it was read; the file is damaged."
    )
