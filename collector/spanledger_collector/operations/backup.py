"""Backups: a consistent cut of a store while it is served, and a store made from one that is proven to hold the same.

The engine freezes its tables (hard links, a second at most, in which senders are told to wait); what is copied is a store in
itself, so a backup can be opened, queried and upgraded like any other.
"""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.database import open_embedded
from spanledger_collector.exceptions import StoreError
from spanledger_collector.operations.statements import statement

__all__ = ["MANIFEST", "copy_frozen", "freeze", "read_manifest", "restore"]

MANIFEST: Final = "backup.json"
_ENGINE: Final = "clickhouse"


def freeze(client: Client, store: Path) -> dict[str, Any]:
    """Freeze a store that nobody writes to now; return the manifest: name, time and totals.

    A view that replaces its table when it is refreshed would change definitions while they are copied: views rest meanwhile.
    """
    name = f"backup_{uuid.uuid4().hex}"
    client.command("system stop views")
    try:
        for (table,) in client.query(statement("freezable")).result_rows:
            client.command(f"alter table `{table}` freeze with name '{name}'")
        _copy_definitions(store / _ENGINE, store / _ENGINE / "shadow" / name)
    finally:
        client.command("system start views")
    return {"name": name, "taken_at": datetime.now(UTC).isoformat(timespec="seconds"), "totals": _totals(client)}


def copy_frozen(store: Path, manifest: dict[str, Any], to: Path) -> None:
    """Copy what was frozen in a store to a new folder, private to this user, and remove the frozen links; all or nothing."""
    frozen = store / _ENGINE / "shadow" / str(manifest["name"])
    partial = to.with_name(to.name + ".partial")
    try:
        with _made(partial):
            shutil.copytree(frozen, partial / _ENGINE, symlinks=True)
            (partial / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
            _sync(partial)
            partial.rename(to)
    except OSError as error:
        raise StoreError(f"The backup {to} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(frozen, ignore_errors=True)


def read_manifest(backup: Path) -> dict[str, Any]:
    """Return what a backup says about itself; StoreError when it is none."""
    try:
        manifest = json.loads((backup / MANIFEST).read_text("utf-8"))
        manifest["totals"]["calls"], manifest["taken_at"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{backup} is no backup of spanledger: it has no {MANIFEST} that can be read.") from error
    return dict(manifest)


def restore(backup: Path, store: Path) -> dict[str, Any]:
    """Make a store from a backup and return its totals, which are those of the backup.

    Raises StoreError, and leaves no store, when there is one already, a part is damaged or the totals differ.
    """
    manifest = read_manifest(backup)
    if (store / _ENGINE).exists():
        raise StoreError(f"There is a ledger at {store} already; restore into another folder with --store.")
    try:
        store.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _made(store / _ENGINE):
            shutil.copytree(backup / _ENGINE, store / _ENGINE, symlinks=True, dirs_exist_ok=True)
            _verify(store, manifest["totals"])
    except OSError as error:
        raise StoreError(f"The ledger {store} cannot be written: {error.strerror or error}.") from error
    return dict(manifest["totals"])


def _verify(store: Path, expected: dict[str, Any]) -> None:
    with contextlib.closing(open_embedded(store)) as database, contextlib.closing(database.client()) as client:
        client.command("system stop ttl merges")  # an old backup shall be compared before it forgets
        for (table,) in client.query(statement("freezable")).result_rows:
            parts = client.raw_query(f"check table `{table}`", fmt="TSV").decode().splitlines()
            if damaged := [part for part in parts if part.split("\t")[1] != "1"]:
                raise StoreError(f"The backup is damaged: {table} has the part {damaged[0]}.")
        found = _totals(client)
    wrong = [
        f"{name} is {found.get(name)} and was {value}" for name, value in expected.items() if found.get(name) != value
    ]
    if wrong:
        raise StoreError(f"The restored ledger is not what was backed up: {'; '.join(wrong)}.")


def _totals(client: Client) -> dict[str, Any]:
    found = client.query(statement("totals"))
    return dict(zip(found.column_names, found.result_rows[0], strict=True))


@contextlib.contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder, and remove it when the block fails."""
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _copy_definitions(engine: Path, to: Path) -> None:
    """Copy all of a store but its parts, which are frozen there already."""
    for folder in ("metadata", "data", "user_defined"):
        if (engine / folder).is_dir():
            shutil.copytree(engine / folder, to / folder, symlinks=True)
    for table in (engine / "store").glob("*/*"):
        target = to / "store" / table.parent.name / table.name
        target.mkdir(parents=True, exist_ok=True)
        for file in table.iterdir():
            if file.is_file():
                shutil.copy2(file, target / file.name)


def _sync(folder: Path) -> None:
    """Bring a folder and all in it to the disk: a backup is for the day on which the power fails."""
    for parent, _, names in os.walk(folder):
        for name in [*names, ""]:
            descriptor = os.open(Path(parent) / name, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
