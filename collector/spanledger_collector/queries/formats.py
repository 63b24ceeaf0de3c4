"""What an answer in a ClickHouse format is called in HTTP, and the two Native blocks that are made here."""

import json
import re
import struct
from typing import Final

__all__ = ["content_type", "hello_block", "native_header"]

_CONTENT_TYPES: Final[tuple[tuple[str, str], ...]] = (
    (r"JSON\w*EachRow\w*", "application/x-ndjson; charset=UTF-8"),
    (r"JSON\w*", "application/json; charset=UTF-8"),
    (r"CSV\w*Names\w*", "text/csv; charset=UTF-8; header=present"),
    (r"CSV\w*", "text/csv; charset=UTF-8; header=absent"),
    (r"(TSV|TabSeparated)\w*", "text/tab-separated-values; charset=UTF-8"),
    (r"XML", "application/xml; charset=UTF-8"),
    (r"Markdown", "text/markdown; charset=UTF-8"),
    (r"Native|RowBinary\w*|Arrow\w*|Parquet|ORC|Avro|BSONEachRow|MsgPack|Npy", "application/octet-stream"),
)
_BLOCK_INFO: Final = b"\x01\x00\x02" + struct.pack("<i", -1) + b"\x00"


def content_type(form: str) -> str:
    """Return the content type that ClickHouse gives a format."""
    return next((kind for pattern, kind in _CONTENT_TYPES if re.fullmatch(pattern, form)), "text/plain; charset=UTF-8")


def native_header(names_and_types: bytes) -> bytes:
    """Return a Native block without rows from two lines of JSON, names and types.

    The engine itself writes no block for an empty result.
    """
    names, types = (json.loads(line) for line in names_and_types.splitlines()[:2])
    columns = b"".join(_text(name) + _text(kind) for name, kind in zip(names, types, strict=True))
    return _varint(len(names)) + _varint(0) + columns


def hello_block(version: str, timezone: str) -> bytes:
    """Return the answer to clickhouse-go's first question, in the framing of the protocol revision that it asks with.

    ``revision()`` is answered with 0: from then on the driver reads the plain Native format that the engine writes.
    """
    columns = (
        ("displayName()", "String", _text("spanledger")),
        ("version()", "String", _text(version)),
        ("revision()", "UInt32", struct.pack("<I", 0)),
        ("timezone()", "String", _text(timezone)),
    )
    body = b"".join(_text(name) + _text(kind) + b"\x00" + value for name, kind, value in columns)
    return _BLOCK_INFO + _varint(len(columns)) + _varint(1) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return _varint(len(data)) + data


def _varint(number: int) -> bytes:
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*data, number])
