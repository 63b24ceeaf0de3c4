"""How commands reach a ledger: a store folder in this process, the process that serves it, or a ClickHouse server."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

import typer
from clickhouse_connect.driver.client import Client

from spanledger_collector.cli.show import working
from spanledger_collector.cli.statements import statement
from spanledger_collector.database import Database, Serving, connect, is_embedded, open_embedded, serving_of
from spanledger_collector.exceptions import StoreError, UsageError
from spanledger_collector.migrations import migrate
from spanledger_collector.refresh import heal, settle
from spanledger_collector.server import prepare
from spanledger_collector.target import Target

__all__ = [
    "ClickHouseUrl",
    "Json",
    "Store",
    "Yes",
    "behind_since",
    "confirmed",
    "new_target",
    "opened",
    "reading",
    "server_of",
    "server_target",
    "store_path",
    "writing",
]

Store = Annotated[
    Path | None,
    typer.Option(
        "--store",
        envvar="SPANLEDGER_STORE",
        help="Folder of the embedded ledger.",
        show_default="~/.local/share/spanledger",
        readable=False,  # we say it ourselves, in words about ledgers
    ),
]
ClickHouseUrl = Annotated[
    str | None,
    typer.Option(
        "--clickhouse",
        envvar="SPANLEDGER_CLICKHOUSE_URL",
        help="A ClickHouse server instead: http(s)://user:password@host:8123.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]

_BRIEF_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.2


def store_path(store: Path | None, name: str = "spanledger") -> Path:
    """Return the store folder that was asked for, or the user's own."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    try:
        return (store or Path(data) / name).expanduser()
    except RuntimeError as error:
        raise UsageError("This user has no home folder: say where the ledger is with --store.") from error


def server_of(store: Path | None, clickhouse: str | None) -> Serving | None:
    """Return the process that serves the store, if one does and no other ledger was asked for.

    A process that has the store open for a moment (another command, a collector that is starting) is waited for.
    """
    _one_of(store, clickhouse)
    if clickhouse:
        return None
    path = store_path(store)
    holder = serving_of(path)
    end = time.monotonic() + _BRIEF_SECONDS
    if holder and not holder.clickhouse_url:
        with working(f"Waiting for process {holder.pid}, which has the ledger open"):
            while holder and not holder.clickhouse_url and time.monotonic() < end:
                time.sleep(_POLL_SECONDS)
                holder = serving_of(path)
    return holder if holder and holder.clickhouse_url else None


def new_target() -> Target:
    """Return an embedded target with the settings that the user wishes a new ledger to have, those of the environment."""
    return Target(
        zone=os.environ.get("SPANLEDGER_ZONE", "").strip(),
        raw_days=_number("SPANLEDGER_RAW_DAYS"),
        calls_days=_number("SPANLEDGER_CALLS_DAYS"),
        rollup_years=_number("SPANLEDGER_ROLLUP_YEARS"),
    )


def _number(variable: str) -> int:
    text = os.environ.get(variable, "").strip()
    if text and not (text.isascii() and text.isdigit() and int(text)):
        raise UsageError(f"{variable} is {text!r}: write a whole number of days or years, or unset it.")
    return int(text or 0)


def confirmed(what: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone; UsageError when there is nobody to ask, exit code 1 on a no."""
    if yes:
        return
    typer.echo(what, err=True)
    if not sys.stdin.isatty():
        raise UsageError("Nothing was done. --yes does it without asking.")
    typer.confirm("Do it?", abort=True, err=True)


@contextlib.contextmanager
def opened(
    store: Path | None, clickhouse: str | None, note: str, *, wished: Target | None = None, again: bool = False
) -> Iterator[Database]:
    """Open a ledger for writing, its schema and prices brought up to date; StoreInUseError while another process serves it.

    ``wished`` names the settings that it should have; None: those of the environment. ``again``: see ``migrate``.
    """
    server_of(store, clickhouse)  # waits for a command that is about to end
    target = wished or new_target()
    with working("Opening the ledger"):
        database = (
            connect(clickhouse, server_target(clickhouse, target))
            if clickhouse
            else open_embedded(store_path(store), target)
        )
    with contextlib.closing(database):
        with working("Bringing schema and prices up to date"):
            prepare(database, note, again=again)
        _heal(database)
        yield database


@contextlib.contextmanager
def writing(store: Path | None, clickhouse: str | None, note: str) -> Iterator[Database]:
    """Open a ledger for writing, through the process that serves the store, if one does: then it is a server that trusts us.

    For every command that changes the ledger. What it writes is committed at once; rollups follow within seconds.
    """
    if serving := server_of(store, clickhouse):
        yield connect(serving.clickhouse_url, Target(), serving.token)
        return
    with opened(store, clickhouse, note) as database:
        yield database


@contextlib.contextmanager
def reading(store: Path | None, clickhouse: str | None) -> Iterator[Client]:
    """Open a ledger for reading: through the process that serves the store, if one does."""
    serving = server_of(store, clickhouse)
    url = clickhouse or (serving.clickhouse_url if serving else None)
    if url:
        token = serving.reading_token if serving else ""
        with contextlib.closing(connect(url, server_target(url), token).client()) as client:
            yield client
        return
    path = store_path(store)
    if not (path / "clickhouse").is_dir():
        raise StoreError(
            f"There is no ledger at {path}. `spanledger up` starts one, `spanledger demo` fills one to look at."
        )
    with _embedded(path) as database, contextlib.closing(database.client()) as client:
        if client.query(statement("lag")).result_rows[0][0] is not None:
            with working("Bringing the rollups up to date"):
                settle(client)  # a collector was killed before it could
        yield client


@contextlib.contextmanager
def _embedded(path: Path) -> Iterator[Database]:
    """Open a store to read it: its schema is brought up to date, its prices stay what they are."""
    with working("Opening the ledger"):
        database = open_embedded(path)
    with contextlib.closing(database):
        with working("Bringing the schema up to date"), contextlib.closing(database.bare_client()) as client:
            migrate(client, database.target)
            has_prices = client.query(f"select 1 from {database.target.database}.price_books limit 1").result_rows
        if not has_prices:  # whoever made the ledger was stopped in the middle
            prepare(database, "read")
        _heal(database)
        yield database


def _heal(database: Database) -> None:
    """Read again what a killed process landed and did not book; it leaves rollups to be made again."""
    if database.was_killed:
        with working("Healing what a killed process left"), contextlib.closing(database.client()) as client:
            heal(client)


def behind_since(client: Client) -> str | None:
    """Return since when calls wait to be summed, and say for how long; None when the sums are up to date."""
    if is_embedded(client):
        return None  # it was settled when it was opened, and nothing has arrived since
    since, seconds = client.query(statement("lag")).result_rows[0]
    if since is None:
        return None
    typer.echo(f"Sums are up to {seconds:,} s behind the calls.", err=True)
    return f"{since:%FT%T}Z"


def server_target(url: str, wished: Target | None = None) -> Target:
    """Return the target of a server: its database is the path of the URL, its dictionaries read their tables as the user of the URL.

    SPANLEDGER_CLUSTER names the cluster, where it is more than one server.
    """
    cluster = os.environ.get("SPANLEDGER_CLUSTER", "").strip()
    target = replace(wished or Target(), kind="cluster" if cluster else "server", cluster=cluster)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # `connect` says what is wrong with it
        return target
    name = (parts.path.strip("/") if parts.scheme in ("http", "https") else "") or target.database
    return replace(target, database=name, user=unquote(parts.username or ""), password=unquote(parts.password or ""))


def _one_of(store: Path | None, clickhouse: str | None) -> None:
    if store and clickhouse:
        raise UsageError(
            "Give --store or --clickhouse (or the variable of one of them), not both: they are two different ledgers."
        )
