"""A real database with the tables of the price book, and the installed price list."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from spanledger_collector.database import open_embedded
from spanledger_collector.migrations import read_migrations
from spanledger_collector.prices.extract import PriceList, extract
from spanledger_collector.target import Target

PRICE_TABLES = ("040", "041", "042", "043", "044", "045", "046", "047", "048", "060", "067")


@pytest.fixture(scope="session")
def listed() -> PriceList:
    return extract()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    target = Target()
    database = open_embedded(tmp_path_factory.mktemp("store"), target)
    bare = database.bare_client()
    bare.command(target.create_database())
    for migration in read_migrations():
        if f"{migration.number:03}" in PRICE_TABLES:
            for statement in migration.statements(target):
                bare.command(statement)
    bare.close()
    client = database.client()
    yield client
    client.close()
    database.close()
