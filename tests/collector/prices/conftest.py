"""A real database with the schema, and the installed price list."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from spanledger_collector.database import open_embedded
from spanledger_collector.migrations import migrate
from spanledger_collector.prices.extract import PriceList, extract
from spanledger_collector.target import Target


@pytest.fixture(scope="session")
def listed() -> PriceList:
    return extract()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    target = Target()
    database = open_embedded(tmp_path_factory.mktemp("store"), target)
    bare = database.bare_client()
    migrate(bare, target)
    bare.close()
    client = database.client()
    yield client
    client.close()
    database.close()
