"""Who may send: bearer tokens from a file that only its owner can read, each with the tenant whose spans it brings."""

import hashlib
import hmac
import logging
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from spanledger_collector.exceptions import SpanledgerError, UsageError

__all__ = ["Credentials", "Sender", "UnauthenticatedError"]

_log = logging.getLogger(__name__)

_CHARS_MIN: Final = 16
_TENANT_CHARS_MAX: Final = 128
_BYTES_MAX: Final = 1_000_000


class UnauthenticatedError(SpanledgerError):
    """The request shows no token, or none that is known."""


@dataclass(frozen=True)
class Sender:
    """Who sends: the tenant whose spans these are; empty: the spans say it themselves."""

    tenant: str = ""


class Credentials:
    """The tokens that may send. Without a file everybody may, and ``up`` then listens on loopback only.

    The file has a line for each token: the token, and behind a blank the tenant; a token alone brings spans that name their tenant
    themselves, such as those of a gateway. ``owner_token`` is that of this process: it may also speak for any tenant. The file is read
    again when it changes; while the new one cannot be used, the old tokens hold, and the log says why.
    """

    def __init__(self, file: Path | None = None, owner_token: str = "") -> None:
        self._file = file
        self._owner = _digest(owner_token) if owner_token else b""
        self._senders: dict[bytes, Sender] = {}
        self._state = _state(file) if file else ()
        if file:
            self._senders = _read(file)

    def sender(self, authorization: str, tenant: str = "") -> Sender:
        """Return who sends, by the header Authorization; raises UnauthenticatedError.

        Only the owner may say for which ``tenant`` (percent-encoded: a header is not UTF-8).
        """
        self._refresh()
        kind, _, token = authorization.strip().partition(" ")
        shown = _digest(token.strip()) if kind.lower() == "bearer" else b""
        if self._owner and hmac.compare_digest(shown, self._owner):
            return Sender(unquote(tenant))
        if not self._file:
            return Sender()
        found = None
        for digest, sender in self._senders.items():  # all of them, so that the time tells nothing
            if hmac.compare_digest(shown, digest):
                found = sender
        if found is None:
            raise UnauthenticatedError(
                "Send the header `Authorization: Bearer TOKEN` with a token of this collector; this request shows none that it knows."
            )
        return found

    def _refresh(self) -> None:
        if self._file is None or (state := _state(self._file)) == self._state:
            return
        self._state = state
        try:
            self._senders = _read(self._file)
        except UsageError as error:
            _log.error("The tokens stay what they were. %s", error)
        else:
            _log.warning("Read %s again: it has %s tokens now.", self._file, len(self._senders))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _state(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino, found.st_size, found.st_mode


def _read(file: Path) -> dict[bytes, Sender]:
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(file.stat().st_mode)
            text = opened.read(_BYTES_MAX + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"The file of tokens {file} cannot be read: {reason}.") from error
    if mode & 0o077:
        raise UsageError(f"The file of tokens {file} can be read by others (mode {mode:04o}): chmod 600 {file}.")
    if len(text) > _BYTES_MAX:
        raise UsageError(f"The file of tokens {file} is larger than {_BYTES_MAX} bytes; it has a line for each token.")
    senders: dict[bytes, Sender] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        token, _, tenant = line.strip().partition(" ")
        _check(f"Line {number} of {file}", token, tenant.strip())  # never says the token
        if _digest(token) in senders:
            raise UsageError(f"Line {number} of {file} repeats a token: each has one tenant.")
        senders[_digest(token)] = Sender(tenant.strip())
    if not senders:
        raise UsageError(f"The file of tokens {file} has none: write a line `TOKEN TENANT` for each.")
    return senders


def _check(where: str, token: str, tenant: str) -> None:
    if len(token) < _CHARS_MIN or not token.isascii() or not token.isprintable():
        raise UsageError(
            f"{where} begins with no token: at least {_CHARS_MIN} visible ASCII characters, such as `openssl rand -hex 32` prints."
        )
    if len(tenant) > _TENANT_CHARS_MAX or not tenant.isprintable():
        raise UsageError(f"{where} names no tenant: at most {_TENANT_CHARS_MAX} printable characters behind the token.")
