"""Opens the database of a ledger: chDB in this process on a store folder, or a ClickHouse server."""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, ProgrammingError

from spanledger_collector.exceptions import StoreError, StoreInUseError
from spanledger_collector.target import Target

__all__ = ["Database", "Serving", "connect", "open_embedded", "serving_of"]

_LOCK = "store.lock"
_SERVING = "serving.json"


@dataclass(frozen=True)
class Serving:
    """What the process that has a store open says about itself; URLs are empty while it does not listen."""

    pid: int
    clickhouse_url: str = ""
    otlp_http_url: str = ""


@dataclass(frozen=True)
class Database:
    """An open ledger database. ``client()`` gives a connection of its own: one for each thread."""

    target: Target
    connect: Callable[[str], Client]
    path: Path | None = None
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


def serving_of(path: Path) -> Serving | None:
    """Return who has the store open, as it says itself; None when nobody does."""
    try:
        with (path / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return None  # noqa: TRY300 - reaching this line is the answer
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _read_serving(path)


def open_embedded(path: Path, target: Target | None = None) -> Database:
    """Open (and create) a store folder in this process.

    Raises StoreInUseError when another process has it, StoreError when it cannot be made, written or read.
    """
    path = path.expanduser().resolve()
    lock = _locked(path)
    try:
        scratch = _scratch(path)
        engine = path / "clickhouse"
        database = Database(
            target or Target(),
            lambda name: _embedded_client(engine, name),
            path,
            lock,
            [lambda: _drop(scratch)],
        )
        database.bare_client().close()
    except BaseException:
        lock.close()
        raise
    return database


def connect(url: str, target: Target) -> Database:
    """Connect to a ClickHouse server by URL (http or https, with user and password in it); StoreError when it does not answer."""

    def client(name: str) -> Client:
        try:
            return clickhouse_connect.get_client(dsn=url, database=name, autogenerate_session_id=False)
        except (ClickHouseError, ValueError) as error:
            raise StoreError(f"No ClickHouse answers at {_without_password(url)}: {error}") from error

    return Database(target, client)


def _embedded_client(engine: Path, name: str) -> Client:
    try:
        return clickhouse_connect.get_client(interface="chdb", path=str(engine), database=name)
    except ProgrammingError as error:
        # The engine gives no reason of its own when another process holds the path (Code 36 with an empty text).
        raise StoreError(
            f"The store {engine.parent} cannot be opened. Either another process that is not spanledger has it open, or it is "
            f"damaged. Stop that process, or restore the folder from a backup. The engine says: {error}"
        ) from error


def _locked(path: Path) -> IO[str]:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (path / _LOCK).open("a+")
    except OSError as error:
        raise StoreError(
            f"The store {path} cannot be created or written: {error.strerror}. "
            "Choose another folder with --store, or give this user write permission on it."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        holder = _read_serving(path)
        who = f"process {holder.pid}" if holder else "another process"
        raise StoreInUseError(
            f"The store {path} is in use by {who}. One process at a time can have it open: stop that one, or let "
            "commands talk to it (they do so by themselves while `spanledger up` runs)."
        ) from error
    _write_private(path / _SERVING, json.dumps(vars(Serving(os.getpid()))))
    return lock


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


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://...@{tail}" if at else url
