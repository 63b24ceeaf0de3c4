"""Says whether a collector would start: ports, store, schema, disk; changes nothing."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spanledger_collector.database import open_embedded, serving_of
from spanledger_collector.exceptions import StoreError, StoreInUseError
from spanledger_collector.listening import HOST, listen
from spanledger_collector.migrations import pending
from spanledger_collector.retention import wished_retention
from spanledger_collector.target import Target

__all__ = ["Ports", "check"]


@dataclass(frozen=True)
class Ports:
    """Where to listen; 0: any free port."""

    otlp_http: int
    otlp_grpc: int
    clickhouse: int
    otlp_host: str = HOST


def check(store: Path, ports: Ports, free_bytes_min: int, target: Target) -> Iterator[str]:
    """Yield a sentence for each part that is well; raises what would stop the start."""
    for name, port, host in (
        ("OTLP/HTTP", ports.otlp_http, ports.otlp_host),
        ("OTLP/gRPC", ports.otlp_grpc, ports.otlp_host),
        ("ClickHouse HTTP", ports.clickhouse, HOST),
    ):
        listen(name, port, host).close()
        yield f"Port {port or '(any)'} for {name} is free."
    yield _disk(store, free_bytes_min)
    yield _store(store, target)


def _disk(store: Path, free_bytes_min: int) -> str:
    folder = next(parent for parent in (store, *store.parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    if free < free_bytes_min:
        raise StoreError(
            f"The disk of {folder} has {free / 1e6:,.0f} MB left; below {free_bytes_min / 1e6:,.0f} MB (--disk-free-min) nothing is taken."
        )
    return f"The disk of {folder} has {free / 1e9:,.1f} GB left."


def _store(store: Path, target: Target) -> str:
    if holder := serving_of(store):
        raise StoreInUseError(
            f"The store {store} is in use by process {holder.pid}: only one at a time can have it open."
        )
    if not (store / "clickhouse").is_dir():
        folder = next(parent for parent in (store, *store.parents) if parent.exists())
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            raise StoreError(
                f"A new store cannot be made at {store}: {folder} is not a folder that this user may write."
            )
        wished_retention(target)
        return f"There is no ledger at {store} yet; it would be made."
    with contextlib.closing(open_embedded(store)) as database, contextlib.closing(database.bare_client()) as client:
        count = len(pending(client, target))
    news = f"{count} files of the schema would be applied" if count else "its schema is up to date"
    return f"The ledger {store} opens; {news}."
