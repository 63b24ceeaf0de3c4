"""`spanledger backup` and `spanledger restore`: a copy of a ledger, and a ledger from a copy, proven equal."""

import contextlib
import json as jsonlib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from spanledger_collector.cli.access import Json, Store, opened, server_of, store_path
from spanledger_collector.cli.show import as_json, working
from spanledger_collector.database import Serving
from spanledger_collector.exceptions import StoreError, UsageError
from spanledger_collector.operations.backup import copy_frozen, freeze, read_manifest
from spanledger_collector.operations.backup import restore as restored
from spanledger_collector.refresh import settle

__all__ = ["backup", "restore"]

_SECONDS_MAX: Final = 600


def backup(
    folder: Annotated[Path, typer.Argument(help="New folder for the backup.")], json: Json = False, store: Store = None
) -> None:
    """Copy a ledger to a new folder, also while `spanledger up` serves it: senders wait for the moment of the cut.

    A backup is a store in itself: it can be asked with --store, and restored into another folder.
    """
    folder, path = folder.expanduser().absolute(), store_path(store)
    if folder.exists():
        raise UsageError(f"{folder} exists already; give a new folder.")
    if not (path / "clickhouse").is_dir():
        raise StoreError(f"There is no ledger at {path} to copy.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    serving = server_of(store, None)
    with working("Copying the ledger"):
        manifest = _asked(serving) if serving else _frozen(store)
        copy_frozen(path.resolve(), manifest, folder)
    _tell(f"The ledger {path} is copied to {folder}", manifest, json=json)


def restore(
    folder: Annotated[Path, typer.Argument(help="Folder of the backup.")], json: Json = False, store: Store = None
) -> None:
    """Make a new ledger from a backup: every part is checked, and its totals must be those of the backup to the last digit."""
    folder, path = folder.expanduser().absolute(), store_path(store)
    with working("Restoring and checking the ledger"):
        restored(folder, path)
    _tell(f"The ledger {path} is what was backed up", read_manifest(folder), json=json)


def _frozen(store: Path | None) -> dict[str, Any]:
    with opened(store, None, "backup") as database, contextlib.closing(database.client()) as client:
        settle(client)
        return freeze(client, store_path(store))


def _asked(serving: Serving) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {serving.token}"}
    call = urllib.request.Request(f"{serving.clickhouse_url}/backup", b"", headers)  # noqa: S310 - our own, on loopback
    try:
        with urllib.request.urlopen(call, timeout=_SECONDS_MAX) as answer:  # noqa: S310
            return dict(jsonlib.load(answer))
    except urllib.error.HTTPError as error:
        raise StoreError(f"The collector cut no backup. {error.read().decode(errors='replace').strip()}") from error
    except OSError as error:
        raise StoreError(f"The collector at {serving.clickhouse_url} does not answer: {error}.") from error


def _tell(what: str, manifest: dict[str, Any], *, json: bool) -> None:
    totals = manifest["totals"]
    if json:
        typer.echo(as_json(manifest))
        return
    typer.echo(f"{what}: {totals['calls']:,} calls, {totals['cost_usd']} USD, as of {manifest['taken_at']}.")
