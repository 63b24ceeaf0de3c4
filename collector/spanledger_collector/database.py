"""Opens the database of a ledger: chDB in this process on a store folder, or a ClickHouse server."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, ProgrammingError

from spanledger_collector.exceptions import StoreError, StoreInUseError, UsageError
from spanledger_collector.refusals import refusal
from spanledger_collector.target import Target

__all__ = ["Database", "Serving", "connect", "is_embedded", "open_embedded", "serving_of"]

_LOCK = "store.lock"
_SERVING = "serving.json"
_STDERR = 2
_DENIED = re.compile("(?<=strerror: )(Permission denied|Read-only file system)")
_UNKNOWN_DATABASE = 81
# The search for comparisons that follow from others takes most of the time in which the engine analyses the normaliser, at each insert:
# about 450 of 570 ms. It only ever adds conditions that are implied.
_EMBEDDED_SETTINGS = {"optimize_and_compare_chain": 0}


@dataclass(frozen=True)
class Serving:
    """What the process that has a store open says about itself; URLs are empty while it does not listen.

    ``token`` lets its reader write through the query endpoint, ``reading_token`` lets it read there where others need a password:
    only the owner of the store can read them. With fewer free bytes on the disk than ``free_bytes_min`` it takes nothing.
    ``otlp_http_url`` is for commands of this machine, ``senders_url`` for programs: another one where those need TLS.
    """

    pid: int
    clickhouse_url: str = ""
    otlp_http_url: str = ""
    token: str = ""
    reading_token: str = ""
    free_bytes_min: int | None = None
    senders_url: str = ""


@dataclass(frozen=True)
class Database:
    """An open ledger database. ``client()`` gives a connection of its own: one for each thread.

    ``was_killed`` says that the process that had the store open before did not close it: see ``heal``.
    """

    target: Target
    connect: Callable[[str], Client]
    path: Path | None = None
    was_killed: bool = False
    _lock: IO[str] | None = None
    _closing: list[Callable[[], None]] = field(default_factory=list)

    def client(self) -> Client:
        """Return a new connection whose default database is the ledger's."""
        return self.connect(self.target.database)

    def bare_client(self) -> Client:
        """Return a new connection that does not need the ledger's database to exist yet."""
        return self.connect("default")

    def announce(self, serving: Serving) -> None:
        """Write beside the store where this process listens, for commands that find the store in use."""
        if self.path is not None:
            _write_private(self.path / _SERVING, json.dumps(vars(serving)))

    def close(self) -> None:
        """Release the store; connections must have been closed before."""
        if self.path is not None:
            (self.path / _SERVING).unlink(missing_ok=True)
        for step in self._closing:
            step()
        if self._lock is not None:
            self._lock.close()


def is_embedded(client: Client) -> bool:
    """Tell whether the engine runs in this process, with all its powers."""
    return str(client.uri).startswith("chdb:")


def serving_of(path: Path) -> Serving | None:
    """Return who has the store open, as it says itself (pid 0: it did not say); None when nobody does.

    Raises StoreError when the folder is not one, or not this user's to read.
    """
    try:
        with (path / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return None  # noqa: TRY300 - reaching this line is the answer
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _read_serving(path) or Serving(0)
    except OSError as error:
        raise _unusable(path, error) from error


def open_embedded(path: Path, target: Target | None = None) -> Database:
    """Open (and create) a store folder in this process.

    Raises StoreInUseError when another process has it, StoreError when it cannot be made, written or read.
    """
    path = path.expanduser().resolve()
    if "?" in str(path):  # what follows one would be options of the engine
        raise StoreError(
            f"The store {path} cannot be used: the name of its folder has a question mark. Choose another with --store."
        )
    lock, was_killed = _locked(path)
    scratch = _scratch(path)
    engine = path / "clickhouse"
    try:
        first = _first_embedded_client(engine)
    except BaseException:
        _drop(scratch)
        lock.close()
        raise
    # The engine stops with its last connection, and takes a quarter of a second to start: this one is held until the end.
    steps = [first.close, lambda: _drop(scratch)]
    return Database(target or Target(), lambda name: _embedded_client(engine, name), path, was_killed, lock, steps)


def connect(url: str, target: Target, token: str = "") -> Database:
    """Connect to a ClickHouse server by URL (http or https, with user and password in it).

    ``token`` is that of a store which another process serves: with it, what listens there lets us write.

    Raises UsageError when it is no such URL; its clients raise StoreError when the server does not answer or does not let them in.
    """
    where = _address(url)

    def client(name: str) -> Client:
        try:
            return clickhouse_connect.get_client(
                dsn=url, database=name, autogenerate_session_id=False, access_token=token or None
            )
        except (ClickHouseError, ValueError) as error:
            if getattr(error, "code", None) == _UNKNOWN_DATABASE:
                raise StoreError(f"There is no ledger at {where}. `spanledger migrate` creates it.") from error
            raise StoreError(f"No ledger can be reached at {where}. {refusal(error)}") from error

    return Database(target, client)


def _address(url: str) -> str:
    """Return the URL without user and password; UsageError when it is not one of a ClickHouse server."""
    parts = urlsplit(url)
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = None
    # Its host is not repeated: what is not a URL may hold a password anywhere.
    if parts.scheme not in ("http", "https") or not parts.hostname or port is None:
        raise UsageError("The ClickHouse URL is not one: write http://user:password@host:8123, or https://.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def _embedded_client(engine: Path, name: str) -> Client:
    try:
        return clickhouse_connect.get_client(
            interface="chdb", path=str(engine), database=name, settings=_EMBEDDED_SETTINGS
        )
    except ProgrammingError as error:
        raise StoreError(f"The store {engine.parent} cannot be opened. {refusal(error)}") from error


def _first_embedded_client(engine: Path) -> Client:
    """Start the engine; its own reason for not starting is in what it prints, its error has an empty text."""
    with _errors_of_the_engine() as printed:
        try:
            return clickhouse_connect.get_client(interface="chdb", path=str(engine), database="default")
        except ProgrammingError as error:
            reason = printed()
            if "Cannot lock file" in reason:
                raise StoreInUseError(
                    f"The store {engine.parent} is in use by a process that is not spanledger but opened {engine} with chDB. "
                    "Stop that process."
                ) from error
            if denied := _DENIED.search(reason or str(error)):
                raise StoreError(
                    f"The store {engine.parent} cannot be used: {denied[0]} for some of its files. Where another user, such as root, wrote "
                    f"them, `chown -R --reference={engine.parent} {engine.parent}` gives them to the owner of the folder. "
                    f"{refusal(StoreError(reason or str(error)))}"
                ) from error
            raise StoreError(
                f"The store {engine.parent} cannot be opened; it may be damaged. Restore the folder from a backup, or choose "
                f"another with --store. {refusal(StoreError(reason)) if reason else refusal(error)}"
            ) from error


@contextlib.contextmanager
def _errors_of_the_engine() -> Iterator[Callable[[], str]]:
    """Keep what the engine (not Python) writes to standard error, and give it as one line; it is for its developers."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        stderr = os.dup(_STDERR)
        os.dup2(kept.fileno(), _STDERR)

        def printed() -> str:
            kept.seek(0)
            return " ".join(kept.read().decode(errors="replace").split())

        try:
            yield printed
        finally:
            os.dup2(stderr, _STDERR)
            os.close(stderr)


def _locked(path: Path) -> tuple[IO[str], bool]:
    """Take the store, and tell whether its last holder left without closing it."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (path / _LOCK).open("a+")
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        holder = _read_serving(path)
        who = f"process {holder.pid}" if holder else "another process"
        raise StoreInUseError(
            f"The store {path} is in use by {who}, and only one at a time can have it open. Stop that process first. (While "
            "`spanledger up` runs, all other commands go through it but `migrate`, and `zone` and `retention` when they change something.)"
        ) from error
    except OSError as error:  # a file system without locks
        lock.close()
        raise _unusable(path, error) from error
    was_killed = (path / _SERVING).exists()
    try:
        _write_private(path / _SERVING, json.dumps(vars(Serving(os.getpid()))))
    except OSError as error:
        lock.close()
        raise _unusable(path, error) from error
    return lock, was_killed


def _unusable(path: Path, error: OSError) -> StoreError:
    is_file = isinstance(error, FileExistsError | NotADirectoryError)
    reason = "a file is in its place" if is_file else error.strerror or str(error)
    return StoreError(
        f"The store {path} cannot be used: {reason}. "
        "Choose another folder with --store, or give this user read and write permission on it. "
        "A store that shall stay as it is: copy it with `cp -a`, and ask the copy."
    )


def _read_serving(path: Path) -> Serving | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Serving(**json.loads((path / _SERVING).read_text()))
    return None


def _write_private(file: Path, text: str) -> None:
    with _private_file(file) as handle:
        handle.write(text)


@contextlib.contextmanager
def _private_file(file: Path) -> Iterator[IO[str]]:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        yield handle


def _scratch(path: Path) -> Path:
    """Give inserts a private folder, in memory where there is one, empty at start: a killed process leaves span data in it."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder below it is private
    parent = memory if os.access(memory, os.W_OK) else path
    scratch = parent / f"spanledger-{os.getuid()}-{sha256(str(path).encode()).hexdigest()[:16]}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    tempfile.tempdir = str(scratch)
    return scratch


def _drop(scratch: Path) -> None:
    tempfile.tempdir = None
    shutil.rmtree(scratch, ignore_errors=True)
