"""The embedded collector: OTLP and ClickHouse HTTP on one store, in one process."""

import contextlib
import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from starlette.applications import Starlette

from spanledger_collector.alerting.book import open_anyway
from spanledger_collector.alerting.probes import Refusals
from spanledger_collector.alerting.watcher import BOOK, Watcher, Watching
from spanledger_collector.database import Database, Serving, open_embedded
from spanledger_collector.exceptions import UsageError
from spanledger_collector.listening import HOST, Services, Site, Tls, address, is_loopback, listen, url_of
from spanledger_collector.migrations import migrate
from spanledger_collector.operations.backup import freeze
from spanledger_collector.operations.counting import CountingCommitter
from spanledger_collector.operations.disk import FREE_BYTES_MIN, DiskWatch
from spanledger_collector.operations.routes import Status, build_routes
from spanledger_collector.page import build_page
from spanledger_collector.prices.book import install
from spanledger_collector.queries import User, Users
from spanledger_collector.queries import build_app as build_queries
from spanledger_collector.receiver.credentials import Credentials
from spanledger_collector.receiver.door import Door
from spanledger_collector.receiver.grpc_server import build_server
from spanledger_collector.receiver.http import build_app as build_receiver
from spanledger_collector.receiver.metrics import MetricsSeen
from spanledger_collector.receiver.receiver import Receiver
from spanledger_collector.refresh import Refresher
from spanledger_collector.target import Target

__all__ = ["Doorway", "EmbeddedServer", "prepare", "set_fsync"]

_log = logging.getLogger(__name__)


def set_fsync(database: Database, *, on: bool) -> None:
    """Have every part on the disk, and not only with the system, before an insert is answered; or no longer."""
    with contextlib.closing(database.client()) as client:
        tables = client.query(
            # not those of the running election: each is replaced by a new one
            "select name from system.tables where database = currentDatabase() and engine like '%MergeTree' and name not like '.%' "
            "and (position(engine_full, 'fsync_after_insert = 1') > 0) != {on:Bool}",
            {"on": on},
        ).result_rows
        change = "modify setting fsync_after_insert = 1, fsync_part_directory = 1"
        for (table,) in tables:
            client.command(
                f"alter table `{table}` {change if on else 'reset setting fsync_after_insert, fsync_part_directory'}"
            )


def prepare(database: Database, note: str, *, again: bool = False) -> None:
    """Bring schema and price book up to date; ``again``: make all that holds no data once more."""
    with contextlib.closing(database.bare_client()) as client:
        migrate(client, database.target, again=again)
    with contextlib.closing(database.client()) as client:
        install(client, note=note)


@dataclass(frozen=True)
class Doorway:
    """Where OTLP comes in, and from whom. Without ``tokens`` (a file, see Credentials) only this machine may send.

    Raises UsageError for an address that others reach, without tokens.
    """

    host: str = HOST
    tokens: Path | None = None
    tls: Tls | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "host", address(self.host))
        if self.tokens is None and not self.is_local:
            raise UsageError(
                f"Others could reach {self.host}, and nobody would be asked who they are: give a file of tokens with --tokens, "
                "or listen on 127.0.0.1."
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)


class EmbeddedServer:
    """Serves one store from ``start`` to ``close``; a context manager does both. Port 0 picks a free one.

    With ``watching`` it evaluates the alert rules and tells receivers.

    Raises StoreError when the store cannot be opened or a port is taken, before anything is served.
    """

    def __init__(
        self,
        store: Path,
        *,
        otlp_http_port: int = 4318,
        otlp_grpc_port: int = 4317,
        clickhouse_port: int = 8123,
        doorway: Doorway | None = None,
        fsync: bool = False,
        target: Target | None = None,
        users: Mapping[str, tuple[str, User]] | None = None,
        disk_free_min: int = FREE_BYTES_MIN,
        watching: Watching | None = None,
    ) -> None:
        self._disk_free_min, self._watching = disk_free_min, watching
        self._store, self._target, self._users = store, target, users
        self._doorway, self._fsync = doorway or Doorway(), fsync
        self._otlp_http_port, self._otlp_grpc_port, self._clickhouse_port = (
            otlp_http_port,
            otlp_grpc_port,
            clickhouse_port,
        )
        self._cleanup = contextlib.ExitStack()
        self.otlp_http_url = self.otlp_grpc_url = self.clickhouse_url = ""
        self.metrics = MetricsSeen()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Open the store and the ports, and serve in threads of their own."""
        doorway = self._doorway
        token, reading_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        credentials = Credentials(doorway.tokens, token)
        with contextlib.ExitStack() as stack:
            otlp = stack.enter_context(listen("OTLP/HTTP", self._otlp_http_port, doorway.host))
            queries = stack.enter_context(listen("ClickHouse HTTP", self._clickhouse_port))
            if self._otlp_grpc_port:  # gRPC binds by itself, and late: a port in use should show before a store is made
                listen("OTLP/gRPC", self._otlp_grpc_port, doorway.host).close()
            self.database = open_embedded(self._store, self._target)
            stack.callback(self.database.close)
            prepare(self.database, "start of the collector")
            set_fsync(self.database, on=self._fsync)
            self._refresher = Refresher(self.database)
            stack.callback(self._refresher.close)
            disk = DiskWatch(self.database.path or self._store, self._disk_free_min)
            self.committer = CountingCommitter(lambda: Door(self.database), self._refresher.kick, disk)
            stack.callback(self.committer.close)
            receiver = Receiver(self.committer, self.metrics, credentials)
            # Commands of this machine send without TLS: no certificate names 127.0.0.1.
            own = (
                stack.enter_context(listen("OTLP/HTTP of commands", 0)) if doorway.tls or not doorway.is_local else otlp
            )
            sites = [
                Site(otlp, build_receiver(receiver, local=doorway.is_local), doorway.tls),
                Site(queries, self._queries(token, reading_token, disk)),
                *([Site(own, build_receiver(receiver))] if own is not otlp else []),
            ]
            services = Services(
                sites, lambda: build_server(receiver), self._otlp_grpc_port, host=doorway.host, tls=doorway.tls
            )
            stack.callback(services.close)
            self.otlp_http_url, self.clickhouse_url = url_of(otlp, tls=doorway.tls is not None), url_of(queries)
            self.otlp_grpc_url = services.grpc_url
            self.database.announce(self._serving(url_of(own), token, reading_token))
            if self._watching:
                stack.enter_context(self._watcher(self._watching, disk))
            self._cleanup = stack.pop_all()
        _log.info(
            "Serving %s: OTLP/HTTP %s, OTLP/gRPC %s, queries %s",
            self._store,
            self.otlp_http_url,
            self.otlp_grpc_url,
            self.clickhouse_url,
        )

    def _serving(self, own_url: str, token: str, reading_token: str) -> Serving:
        return Serving(
            os.getpid(), self.clickhouse_url, own_url, token, reading_token, self._disk_free_min, self.otlp_http_url
        )

    def _queries(self, token: str, reading_token: str, disk: DiskWatch) -> Starlette:
        users = Users(self._users, token, reading_token)
        self.status = Status(self.database, self.committer, disk)
        return build_queries(
            self.database,
            users,
            on_commit=self._refresher.kick,
            admit=self.committer.admit,
            routes=build_routes(self.status, users, self.freeze),
            page=build_page,
        )

    def _watcher(self, watching: Watching, disk: DiskWatch) -> Watcher:
        """Watch the ledger that is served; links without a place of their own lead to this process."""
        links = replace(watching.links, page=watching.links.page or self.clickhouse_url)
        book = (self.database.path or self._store) / BOOK
        return Watcher(
            self.database, open_anyway(book), replace(watching, links=links), [Refusals(self.committer, disk)]
        )

    def settle(self) -> None:
        """Bring verdicts and rollups up to date with everything that was acknowledged."""
        self._refresher.settle()

    def freeze(self) -> dict[str, Any]:
        """Freeze the store for a backup, all that was acknowledged and nothing half; see operations/backup.py."""
        with self.committer.held(), self._refresher.settled() as client:
            return freeze(client, self.database.path or self._store)

    def close(self) -> None:
        """Stop taking requests, write what was taken, bring the rollups up to date, close the store."""
        self._cleanup.close()
