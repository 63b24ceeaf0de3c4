"""Unpacks request bodies: gzip, deflate and zstd, never to more than a limit, whatever a bomb claims."""

import zlib
from collections.abc import Callable
from typing import Any, Final

from spanledger_collector.exceptions import InputError
from spanledger_collector.zstd import zstd

__all__ = ["TooLargeError", "unpacked"]

_MEMBERS_MAX: Final = 1_000  # each is unpacked from a copy of the rest: millions of empty ones would take hours
_CODINGS: Final = ("gzip", "deflate", "zstd")


class TooLargeError(InputError):
    """A request is larger than the receiver takes."""


def unpacked(body: bytes, coding: str, bytes_max: int) -> bytes:
    """Return the body as it was before it was packed, every member of it: gzip and zstd allow several, one after the other.

    Raises InputError when it is not what the coding says, or another coding; TooLargeError when it becomes larger than ``bytes_max``.
    """
    if coding in ("identity", ""):
        return body
    if coding not in _CODINGS:
        raise InputError(f"Content-Encoding {coding!r} is not supported; use gzip, zstd, deflate or none.")
    start, failure = _unpacker(coding)
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
        body = stream.unused_data
    return b"".join(members)


def _unpacker(coding: str) -> tuple[Callable[[], Any], type[Exception]]:
    if coding != "zstd":
        window = zlib.MAX_WBITS | 16 if coding == "gzip" else zlib.MAX_WBITS
        return lambda: zlib.decompressobj(window), zlib.error
    module = zstd()
    if module is None:
        raise InputError("zstd needs Python 3.14 or `pip install backports.zstd` here; send gzip.")
    return module.ZstdDecompressor, module.ZstdError
