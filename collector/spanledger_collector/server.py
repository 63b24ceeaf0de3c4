"""The embedded collector: OTLP and ClickHouse HTTP on one store, in one process."""

import contextlib
import logging
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from spanledger_collector.database import Database, Serving, open_embedded
from spanledger_collector.listening import HOST, Services, listen, url_of
from spanledger_collector.migrations import migrate
from spanledger_collector.prices.book import install
from spanledger_collector.queries import User, Users
from spanledger_collector.queries import build_app as build_queries
from spanledger_collector.receiver.commit import Committer
from spanledger_collector.receiver.door import Door
from spanledger_collector.receiver.grpc_server import build_server
from spanledger_collector.receiver.http import build_app as build_receiver
from spanledger_collector.receiver.metrics import MetricsSeen
from spanledger_collector.refresh import Refresher
from spanledger_collector.target import Target

__all__ = ["EmbeddedServer", "prepare"]

_log = logging.getLogger(__name__)


def prepare(database: Database, note: str) -> None:
    """Bring schema and price book up to date."""
    with contextlib.closing(database.bare_client()) as client:
        migrate(client, database.target)
    with contextlib.closing(database.client()) as client:
        install(client, note=note)


class EmbeddedServer:
    """Serves one store from ``start`` to ``close``; a context manager does both. Port 0 picks a free one.

    Raises StoreError when the store cannot be opened or a port is taken, before anything is served.
    """

    def __init__(
        self,
        store: Path,
        *,
        otlp_http_port: int = 4318,
        otlp_grpc_port: int = 4317,
        clickhouse_port: int = 8123,
        target: Target | None = None,
        users: Mapping[str, tuple[str, User]] | None = None,
    ) -> None:
        self._store, self._target, self._users = store, target, users
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
        with contextlib.ExitStack() as stack:
            otlp = stack.enter_context(listen("OTLP/HTTP", self._otlp_http_port))
            queries = stack.enter_context(listen("ClickHouse HTTP", self._clickhouse_port))
            if self._otlp_grpc_port:  # gRPC binds by itself, and late: a port in use should show before a store is made
                listen("OTLP/gRPC", self._otlp_grpc_port).close()
            self.database = open_embedded(self._store, self._target)
            stack.callback(self.database.close)
            prepare(self.database, "start of the collector")
            self._refresher = Refresher(self.database)
            stack.callback(self._refresher.close)
            self.committer = Committer(lambda: Door(self.database), self._refresher.kick)
            stack.callback(self.committer.close)
            token, reading_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
            users = Users(self._users, token, reading_token)
            apps = {
                otlp: build_receiver(self.committer, self.metrics),
                queries: build_queries(self.database, users, on_commit=self._refresher.kick),
            }
            services = Services(apps, lambda: build_server(self.committer, self.metrics), self._otlp_grpc_port)
            stack.callback(services.close)
            self.otlp_http_url, self.clickhouse_url = url_of(otlp), url_of(queries)
            self.otlp_grpc_url = f"http://{HOST}:{services.grpc_port}"
            self.database.announce(Serving(os.getpid(), self.clickhouse_url, self.otlp_http_url, token, reading_token))
            self._cleanup = stack.pop_all()
        _log.info(
            "Serving %s: OTLP/HTTP %s, OTLP/gRPC %s, queries %s",
            self._store,
            self.otlp_http_url,
            self.otlp_grpc_url,
            self.clickhouse_url,
        )

    def settle(self) -> None:
        """Bring verdicts and rollups up to date with everything that was acknowledged."""
        self._refresher.settle()

    def close(self) -> None:
        """Stop taking requests, write what was taken, bring the rollups up to date, close the store."""
        self._cleanup.close()
