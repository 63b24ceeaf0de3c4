"""Opens a file, unpacks it while it is read, and says how far in the file the reading is."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from spanledger_collector.exceptions import InputError
from spanledger_collector.zstd import zstd

__all__ = ["Source", "opened"]

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


class Source:
    """The unpacked bytes of one file, read once from start to end. ``offset`` counts them."""

    def __init__(
        self, path: Path, packed: BinaryIO, unpacked: BinaryIO, on_progress: Callable[[int], None] | None
    ) -> None:
        self.path = path
        self.offset = 0
        self._packed = packed
        self._unpacked = unpacked
        self._on_progress = on_progress
        self._back = b""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, fewer only at the end; InputError when the file cannot be read or unpacked."""
        parts, left = [self._back[:size]], size - len(self._back[:size])
        self._back = self._back[size:]
        while left > 0:
            part = self._read_once(left)
            if not part:
                break
            parts.append(part)
            left -= len(part)
        data = b"".join(parts)
        self.offset += len(data)
        return data

    def put_back(self, data: bytes) -> None:
        """Have the next ``read`` begin with these bytes, which the last one returned."""
        self._back = data + self._back
        self.offset -= len(data)

    def _read_once(self, size: int) -> bytes:
        try:
            data = self._unpacked.read(size)
        except EOFError as error:
            raise InputError(f"{self.path} is cut off: its compressed data has no end. Copy it again.") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                f"{self.path} is damaged: its compressed data is wrong ({error}). Copy it again."
            ) from error
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror or error}.") from error
        if self._on_progress:
            self._on_progress(self._packed.tell())
        return data


@contextmanager
def opened(path: Path, on_progress: Callable[[int], None] | None = None) -> Iterator[Source]:
    """Open a file; its first bytes tell what it is compressed with. InputError when it cannot be opened or is empty."""
    try:
        with path.open("rb") as packed:
            start = packed.read(4)
            packed.seek(0)
            if not start:
                raise InputError(f"{path} is empty: there is nothing to read.")
            yield Source(path, packed, _unpacking(path, packed, start), on_progress)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}: check the name.") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder: name the files in it, for example {path}/*.") from error
    except PermissionError as error:
        raise InputError(f"{path} cannot be read: permission denied. Give this user read permission.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def _unpacking(path: Path, packed: BinaryIO, start: bytes) -> BinaryIO:
    if start.startswith(_GZIP):
        return cast("BinaryIO", gzip.GzipFile(fileobj=packed))
    if start == _ZSTD:
        return _unpacking_zstd(path, packed)
    return packed


def _unpacking_zstd(path: Path, packed: BinaryIO) -> BinaryIO:
    if module := zstd():
        return cast("BinaryIO", module.ZstdFile(packed))
    raise InputError(
        f"{path} is compressed with zstd, which needs Python 3.14 or `pip install backports.zstd`; "
        f"or unpack it first: zstd -d {path}."
    )
