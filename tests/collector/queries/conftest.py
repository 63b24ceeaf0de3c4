"""A served ledger: a real store, the real application behind a real server on a free port."""

import http.client
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
import uvicorn

from spanledger_collector.database import open_embedded
from spanledger_collector.migrations import migrate
from spanledger_collector.queries import build_app


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Endpoint:
    port: int

    def ask(
        self,
        sql: str | bytes = "",
        *,
        url: str = "/",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
        **more: str,
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            path = url + ("?" + urlencode({**(fields or {}), **more}) if fields or more else "")
            connection.request(method, path, sql.encode() if isinstance(sql, str) else sql, dict(headers or {}))
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    database = open_embedded(tmp_path_factory.mktemp("served") / "store")
    client = database.bare_client()
    migrate(client, database.target)
    client.command("create table default.private (secret String) engine = MergeTree order by secret")
    client.command("insert into default.private select 'top secret'")
    client.command(
        "create table spanledger.money (at DateTime64(6, 'UTC'), usd Nullable(Decimal(38, 24))) engine = MergeTree order by at"
    )
    client.command(
        "insert into spanledger.money values ('2026-11-22 10:00:00.000001', '0.000000000000000000000001'),"
        "('2026-11-22 11:00:00', '12345678901234.123456789012345678901234'), ('2026-11-22 12:00:00', null)"
    )
    client.close()
    server = uvicorn.Server(uvicorn.Config(build_app(database), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Endpoint(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    thread.join()
    database.close()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of this machine that no query may read."""
    file = tmp_path / "secret.txt"
    file.write_text("top secret\n")
    return file
