"""One store and one set of recorded files for all tests of the command line: a new store takes seconds to make."""

import time
from pathlib import Path

import pytest

from tests.collector.cli.processes import Ended, spanledger
from tests.collector.cli.recorded import Files, record


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return record(tmp_path_factory.mktemp("files"), float(int(time.time()) - 3 * 3600))


@pytest.fixture(scope="session")
def replayed(tmp_path_factory: pytest.TempPathFactory, files: Files) -> tuple[Path, Ended]:
    """A store that replay made, out of good files and bad ones, and what it said."""
    store = tmp_path_factory.mktemp("data") / "ledger"
    return store, spanledger("replay", *files.good, *files.bad.values(), "--store", store)


@pytest.fixture
def store(replayed: tuple[Path, Ended]) -> Path:
    return replayed[0]
