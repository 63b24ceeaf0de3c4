"""Unpacks request bodies: gzip, deflate and zstd, never to more than a limit, whatever a bomb claims."""

import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from spanledger_collector.exceptions import InputError
from spanledger_collector.zstd import zstd

__all__ = ["TooLargeError", "UnknownCodingError", "Unpacker", "unpacked"]

_MEMBERS_MAX: Final = 1_000  # each is unpacked from a copy of the rest: millions of empty ones would take hours
_WINDOWS: Final = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}

# What makes a decompressor of a stream, and the error that it raises.
Unpacker = tuple[Callable[[], Any], type[Exception]]


class TooLargeError(InputError):
    """A request is larger than the receiver takes."""


class UnknownCodingError(InputError):
    """A body is packed in a way that is not known here."""


def unpacked(body: bytes, coding: str, bytes_max: int, more: Mapping[str, Unpacker] = MappingProxyType({})) -> bytes:
    """Return the body as it was before it was packed, every member of it: gzip and zstd allow several, one after the other.

    ``more`` are codings beside gzip, deflate and zstd. Raises UnknownCodingError, InputError when the body is not what the coding
    says, TooLargeError when it becomes larger than ``bytes_max``.
    """
    if coding in ("identity", ""):
        return body
    start, failure = more[coding] if coding in more else _unpacker(coding, more)
    members: list[bytes] = []
    size = 0
    while body or not members:
        stream = start()
        try:
            members.append(stream.decompress(body, bytes_max + 1 - size))
        except failure as error:
            raise InputError(f"The body is not valid {coding}: {error}.") from error
        size += len(members[-1])
        if size > bytes_max:
            raise TooLargeError(f"The body unpacks to more than {bytes_max} bytes; send smaller batches.")
        if not stream.eof:
            raise InputError(f"The {coding} body is cut off.")
        if len(members) > _MEMBERS_MAX:
            raise InputError(f"The {coding} body has more than {_MEMBERS_MAX} members; send one.")
        body = stream.unused_data or b""
    return b"".join(members)


def _unpacker(coding: str, more: Mapping[str, Unpacker]) -> Unpacker:
    if coding in _WINDOWS:
        return lambda: zlib.decompressobj(_WINDOWS[coding]), zlib.error
    if coding != "zstd":
        known = ", ".join((*_WINDOWS, "zstd", *more))
        raise UnknownCodingError(f"Content-Encoding {coding!r} is not supported; use {known} or none.")
    module = zstd()
    if module is None:
        raise UnknownCodingError("zstd needs Python 3.14 or `pip install backports.zstd` here; send gzip.")
    return module.ZstdDecompressor, module.ZstdError
