"""What the tests share: a real ledger in chDB, with schema and prices, emptied for each test."""

import time
from collections.abc import Iterator

import pytest

from spanledger_collector.database import open_embedded
from spanledger_collector.receiver.door import Door
from spanledger_collector.server import prepare
from tests.ledger import Ledger


@pytest.fixture(scope="module")
def _ledger_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    database = open_embedded(tmp_path_factory.mktemp("store"))
    prepare(database, "tests")
    client, door = database.client(), Door(database)
    yield Ledger(database, client, door)
    door.close()
    client.close()
    database.close()


@pytest.fixture
def ledger(_ledger_of_module: Ledger) -> Ledger:
    _ledger_of_module.empty()
    return _ledger_of_module


@pytest.fixture
def recently() -> float:
    """A time three hours ago, in whole seconds: old enough for every grace, young enough for every limit."""
    return float(int(time.time()) - 3 * 3600)
