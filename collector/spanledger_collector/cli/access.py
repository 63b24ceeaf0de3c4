"""How commands reach a ledger: a store folder in this process, the process that serves it, or a ClickHouse server."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.client import Client

from spanledger_collector.database import Database, Serving, connect, open_embedded, serving_of
from spanledger_collector.exceptions import StoreError, UsageError
from spanledger_collector.refresh import settle
from spanledger_collector.server import prepare
from spanledger_collector.target import Target

__all__ = ["ClickHouseUrl", "Json", "Store", "is_embedded", "opened", "reading", "store_path"]

Store = Annotated[
    Path | None,
    typer.Option(
        "--store",
        envvar="SPANLEDGER_STORE",
        help="Folder of the embedded ledger.",
        show_default="~/.local/share/spanledger",
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


def store_path(store: Path | None, name: str = "spanledger") -> Path:
    """Return the store folder that was asked for, or the user's own."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return (store or Path(data) / name).expanduser()


@contextlib.contextmanager
def opened(store: Path | None, clickhouse: str | None, note: str) -> Iterator[Database]:
    """Open a ledger for writing, its schema and prices brought up to date; StoreInUseError while another process serves it."""
    _one_of(store, clickhouse)
    database = connect(clickhouse, Target(kind="server")) if clickhouse else open_embedded(store_path(store))
    with contextlib.closing(database):
        prepare(database, note)
        yield database


@contextlib.contextmanager
def reading(store: Path | None, clickhouse: str | None) -> Iterator[Client]:
    """Open a ledger for reading: through the process that serves the store, if one does."""
    _one_of(store, clickhouse)
    path = store_path(store)
    serving = None if clickhouse else serving_of(path)
    if clickhouse or (serving and serving.clickhouse_url):
        database = connect(clickhouse or _url(serving), Target(kind="server"))
        with contextlib.closing(database.client()) as client:
            yield client
        return
    if not (path / "clickhouse").is_dir():
        raise StoreError(
            f"There is no ledger at {path}. `spanledger up` starts one, `spanledger demo` fills one to look at."
        )
    with opened(store, None, "read") as database, contextlib.closing(database.client()) as client:
        if client.query("select 1 from rollup_lag limit 1").result_rows:
            settle(client)  # a collector was killed before it could
        yield client


def is_embedded(client: Client) -> bool:
    """Tell whether the engine runs in this process, with all its powers."""
    return str(client.uri).startswith("chdb:")


def _url(serving: Serving | None) -> str:
    return serving.clickhouse_url if serving else ""


def _one_of(store: Path | None, clickhouse: str | None) -> None:
    if store and clickhouse:
        raise UsageError(
            "Give --store or --clickhouse (or the variable of one of them), not both: they are two different ledgers."
        )
