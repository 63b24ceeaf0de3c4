"""The protobuf wire format, as far as OTLP requests must be told apart and cut: fields of a message, not their meaning.

A request of each signal is ``repeated Resource<X> = 1``; that holds ``resource = 1`` and ``repeated Scope<X> = 2``;
that holds ``scope = 1`` and the items, ``repeated <X> = 2``. Only the items differ: spans, log records, metrics.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spanledger_collector.receiver.door import Signal

__all__ = ["BrokenWireError", "Field", "cut_resource", "delimited", "fields", "signal_of", "varint"]

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_VARINT_BYTES_MAX: Final = 10


class BrokenWireError(ValueError):
    """Bytes that are no protobuf message; ``offset`` is where in them."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"no protobuf at byte {offset}")
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: its number and wire type, and where its tag begins, its value begins, and it ends."""

    number: int
    wire_type: int
    start: int
    value: int
    end: int

    @property
    def size(self) -> int:
        """Bytes of the value."""
        return self.end - self.value


def varint(data: bytes, offset: int) -> tuple[int, int]:
    """Return a number and the offset after it; BrokenWireError where there is none."""
    value = 0
    for index in range(_VARINT_BYTES_MAX):
        if offset + index >= len(data):
            break
        byte = data[offset + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, offset + index + 1
    raise BrokenWireError(offset)


def delimited(tag: int, *parts: bytes) -> bytes:
    """Return a length-delimited field."""
    size = sum(map(len, parts))
    return b"".join((bytes([tag]), _varint_of(size), *parts))


def fields(data: bytes, start: int, end: int) -> Iterator[Field]:
    """Yield the fields of the message between two offsets; BrokenWireError where it is not one."""
    offset = start
    while offset < end:
        key, value = varint(data, offset)
        number, wire_type = key >> 3, key & 7
        if wire_type == _DELIMITED:
            size, value = varint(data, value)
        elif wire_type == _VARINT:
            size = varint(data, value)[1] - value
        elif wire_type in (_FIXED64, _FIXED32):
            size = 8 if wire_type == _FIXED64 else 4
        else:
            raise BrokenWireError(offset)
        if number == 0 or value + size > end:
            raise BrokenWireError(offset)
        yield Field(number, wire_type, offset, value, value + size)
        offset = value + size


def signal_of(data: bytes, start: int, end: int) -> Signal | None:
    """Return what a resource entry holds, told by the wire types of its first item; None if it holds nothing."""
    for scope in fields(data, start, end):
        if (scope.number, scope.wire_type) != (2, _DELIMITED):
            continue
        for item in fields(data, scope.value, scope.end):
            if (item.number, item.wire_type) == (2, _DELIMITED):
                return _signal_of_item({(f.number, f.wire_type): f.size for f in fields(data, item.value, item.end)})
    return None


def _signal_of_item(sizes: dict[tuple[int, int], int]) -> Signal:
    # Span: start = 7 and end = 8 fixed64, kind = 6 varint, flags = 16 fixed32.
    if sizes.keys() & {(7, _FIXED64), (8, _FIXED64), (6, _VARINT), (16, _FIXED32)}:
        return "traces"
    # Log record: time = 1 and observed = 11 fixed64, severity = 2 varint, attributes = 6, flags = 8 fixed32.
    if sizes.keys() & {(1, _FIXED64), (11, _FIXED64), (2, _VARINT), (6, _DELIMITED), (8, _FIXED32)}:
        return "logs"
    # Span without times: trace id = 1, span id = 2. Of the rest, a metric has a first field, its name.
    if sizes.get((1, _DELIMITED)) == 16 and sizes.get((2, _DELIMITED)) == 8:
        return "traces"
    return "metrics" if (1, _DELIMITED) in sizes else "logs"


def cut_resource(entry: bytes, bytes_max: int) -> Iterator[bytes]:
    """Yield resource entries of about ``bytes_max`` each, that together hold the items of one, in order.

    Each repeats the resource, the scope and whatever else stands beside the items.
    """
    parts = list(fields(entry, 0, len(entry)))
    head = _beside_items(entry, parts)
    for scope in parts:
        if scope.number != 2:
            continue
        inner = list(fields(entry, scope.value, scope.end))
        scope_head = _beside_items(entry, inner)
        pending: list[bytes] = []
        size = 0
        for item in (part for part in inner if part.number == 2):
            if pending and size + item.end - item.start > bytes_max:
                yield head + delimited(0x12, scope_head, *pending)
                pending, size = [], 0
            pending.append(entry[item.start : item.end])
            size += item.end - item.start
        yield head + delimited(0x12, scope_head, *pending)
    if not any(scope.number == 2 for scope in parts):
        yield entry


def _beside_items(data: bytes, parts: list[Field]) -> bytes:
    return b"".join(data[part.start : part.end] for part in parts if part.number != 2)


def _varint_of(number: int) -> bytes:
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*data, number])
