"""Packs answers and unpacks requests: HTTP's content codings, and the checked blocks of ClickHouse's own protocol."""

import gzip
import importlib
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

import lz4.block
import lz4.frame

from spanledger_collector import unpacking
from spanledger_collector.exceptions import InputError
from spanledger_collector.queries.errors import RefusedError
from spanledger_collector.unpacking import TooLargeError, UnknownCodingError
from spanledger_collector.zstd import zstd

__all__ = ["best_coding", "framed", "packed", "unframed", "unpacked"]

_LZ4_FRAMES: Final = (lz4.frame.LZ4FrameDecompressor, RuntimeError)
# A block: hash of the rest (128 bits), method, packed size with these nine bytes, unpacked size, data.
_HASH_BYTES: Final = 16
_HEAD: Final = struct.Struct("<BII")
_LZ4, _ZSTD, _NONE = 0x82, 0x90, 0x02
_BLOCK_BYTES: Final = 1_048_576


def best_coding(accepted: str) -> str:
    """Return the best coding that a header Accept-Encoding allows and that is known here; empty: none."""
    offered = (part.strip().partition(";") for part in accepted.lower().split(","))
    wanted = {name.strip() for name, _, rest in offered if not re.fullmatch(r"\s*q=0(\.0*)?\s*", rest)}
    return next((name for name in ("zstd", "gzip", "lz4", "deflate") if name in wanted and _is_known(name)), "")


def packed(body: bytes, coding: str) -> bytes:
    """Return an answer in a coding that ``best_coding`` gave."""
    if coding == "gzip":
        return gzip.compress(body, 1)
    if coding == "deflate":
        return zlib.compress(body, 1)
    return bytes(lz4.frame.compress(body) if coding == "lz4" else _zstd().compress(body, 1))


def unpacked(body: bytes, coding: str, bytes_max: int) -> bytes:
    """Return a request's body as it was before it was packed, every member of it; RefusedError when it cannot be or is too large."""
    try:
        return unpacking.unpacked(body, coding.strip().lower(), bytes_max, {"lz4": _LZ4_FRAMES})
    except TooLargeError as error:
        raise RefusedError(229, "QUERY_IS_TOO_LARGE", str(error)) from error
    except UnknownCodingError as error:
        raise RefusedError(48, "NOT_IMPLEMENTED", str(error)) from error
    except InputError as error:
        raise RefusedError(36, "BAD_ARGUMENTS", str(error)) from error


def framed(body: bytes, method: str) -> bytes:
    """Return an answer in checked blocks, as the parameter compress=1 asks for; ``method`` is LZ4 or ZSTD."""
    parts = (body[at : at + _BLOCK_BYTES] for at in range(0, len(body), _BLOCK_BYTES))
    return b"".join(_block(part, method) for part in parts)


def unframed(body: bytes, bytes_max: int) -> bytes:
    """Return what checked blocks hold (the parameter decompress=1); RefusedError when one is damaged, or all are too large."""
    parts: list[bytes] = []
    size = 0
    for method, length, data in _blocks(body):
        size += length
        if size > bytes_max:
            raise RefusedError(229, "QUERY_IS_TOO_LARGE", f"The body unpacks to more than {bytes_max} bytes.")
        parts.append(_opened(method, length, data))
    return b"".join(parts)


def _block(part: bytes, method: str) -> bytes:
    data = bytes(_zstd().compress(part, 1) if method == "ZSTD" else lz4.block.compress(part, store_size=False))
    block = _HEAD.pack(_ZSTD if method == "ZSTD" else _LZ4, _HEAD.size + len(data), len(part)) + data
    return bytes(_digest(block) + block)


def _blocks(body: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at < len(body):
        start = at + _HASH_BYTES
        if start + _HEAD.size > len(body):
            raise _damaged("is cut off")
        method, packed_bytes, length = _HEAD.unpack_from(body, start)
        end = start + packed_bytes
        if packed_bytes < _HEAD.size or end > len(body):
            raise _damaged("is cut off")
        if _digest(body[start:end]) != body[at:start]:
            raise _damaged("does not match its checksum")
        yield method, length, body[start + _HEAD.size : end]
        at = end


def _opened(method: int, length: int, data: bytes) -> bytes:
    try:
        if method == _LZ4:
            opened = bytes(lz4.block.decompress(data, uncompressed_size=length))
        elif method == _ZSTD:
            opened = bytes(_zstd().ZstdDecompressor().decompress(data, length + 1))
        else:
            opened = data if method == _NONE else b""
    except (lz4.block.LZ4BlockError, _failure_of_zstd(), ValueError) as error:
        raise _damaged(f"cannot be unpacked: {error}") from error
    if len(opened) != length:
        raise _damaged(f"has the method {method:#04x} and another size than it says")
    return opened


def _digest(block: bytes) -> bytes:
    try:
        # Not at the top: an environment that was made before it was needed still answers everybody else.
        number = importlib.import_module("clickhouse_cityhash.cityhash").CityHash128(block)
    except ImportError as error:
        raise RefusedError(
            48, "NOT_IMPLEMENTED", "Compressed blocks need `pip install clickhouse-cityhash` here; use gzip or none."
        ) from error
    return struct.pack("<QQ", number >> 64, number & 0xFFFFFFFFFFFFFFFF)


def _damaged(what: str) -> RefusedError:
    return RefusedError(271, "CANNOT_DECOMPRESS", f"A compressed block of the request {what}.")


def _is_known(coding: str) -> bool:
    return coding in ("gzip", "deflate", "lz4") or (coding == "zstd" and zstd() is not None)


def _zstd() -> Any:
    module = zstd()
    if module is None:
        raise RefusedError(
            48, "NOT_IMPLEMENTED", "zstd needs Python 3.14 or `pip install backports.zstd` here; use lz4 or gzip."
        )
    return module


def _failure_of_zstd() -> type[Exception]:
    module = zstd()
    return module.ZstdError if module else ValueError
