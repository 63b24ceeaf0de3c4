"""What the tests share: a real ledger in chDB, with schema and prices, emptied for each test."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from spanledger_collector.database import open_embedded
from spanledger_collector.receiver.door import Door
from spanledger_collector.server import prepare
from tests.ledger import Ledger


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Gives an empty store with schema and prices: a copy, because making one takes seconds."""
    made = tmp_path_factory.mktemp("made")
    with closing(open_embedded(made)) as database:
        prepare(database, "tests")

    def copied() -> Path:
        path = tmp_path_factory.mktemp("data") / "ledger"
        shutil.copytree(made, path, symlinks=True)
        return path

    return copied


@pytest.fixture(scope="module")
def _ledger_of_module(new_store: Callable[[], Path]) -> Iterator[Ledger]:
    database = open_embedded(new_store())
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
