"""Whoever shows the store's token may write through the endpoint; nobody else."""

import json
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from spanledger_collector.database import connect, serving_of
from spanledger_collector.refresh import settle
from spanledger_collector.server import EmbeddedServer
from spanledger_collector.target import Target


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    store = tmp_path_factory.mktemp("served")
    with EmbeddedServer(store, otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0) as server:
        yield server


@pytest.fixture
def token(server: EmbeddedServer) -> str:
    assert server.database.path
    return str(json.loads((server.database.path / "serving.json").read_text())["token"])


@pytest.fixture
def owner(server: EmbeddedServer, token: str) -> Iterator[Client]:
    with closing(connect(server.clickhouse_url, Target(), token).client()) as client:
        yield client


def test_the_owner_inserts_reads_and_commands_as_on_a_server(owner: Client) -> None:
    rows = [["a", Decimal("0.000000000000000000000001"), ["x", "it's\n"]], ["b", Decimal(2), []]]
    owner.command("create table scratch (name String, amount Decimal(38, 24), list Array(String)) engine = Memory")
    owner.insert("scratch", rows, column_names=["name", "amount", "list"])
    found = owner.query("select * from scratch where name != {no:String} order by name", {"no": "it's"}).result_rows
    empty = owner.query("select name from scratch where name = 'c'")
    owner.command("drop table scratch")

    assert [list(row) for row in found] == rows
    assert (empty.column_names, empty.result_rows) == (("name",), [])


def test_the_owner_may_bring_the_rollups_up_to_date(owner: Client) -> None:
    settle(owner)

    assert owner.query("select count() from rollup_lag").result_rows == [(0,)]


def test_what_the_engine_refuses_is_said(owner: Client) -> None:
    with pytest.raises(DatabaseError, match="nowhere does not exist"):
        owner.command("insert into nowhere select 1")


def test_without_the_token_the_endpoint_only_reads(server: EmbeddedServer) -> None:
    answer = requests.post(server.clickhouse_url, data="drop table rates", timeout=10)

    assert "only reads" in answer.text
    assert answer.status_code != 200


@pytest.mark.parametrize("shown", ["", "wrong", "\xe9"])
def test_a_wrong_token_is_refused(shown: str, server: EmbeddedServer) -> None:
    headers = {"Authorization": f"Bearer {shown}".encode("latin-1")}

    answer = requests.post(server.clickhouse_url, data="select 1", headers=headers, timeout=10)

    assert answer.status_code == 403
    assert "The token is not that of this store" in answer.text


def test_only_the_owner_of_the_store_can_read_the_token(server: EmbeddedServer) -> None:
    assert server.database.path
    assert (server.database.path / "serving.json").stat().st_mode & 0o077 == 0
    serving = serving_of(Path(server.database.path))
    assert serving
    assert serving.token
