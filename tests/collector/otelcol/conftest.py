"""The real Collector, where it was built: `make test-collector` and `make test-deploy` say where."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from spanledger_collector.listening import Tls
from tests.collector.otelcol.processes import Process, Site
from tests.collector.test_doorway import certificate

__all__ = ["certificate"]


@pytest.fixture(scope="session")
def binary() -> Path:
    path = os.environ.get("OTELCOL_BINARY")
    if not path:
        pytest.skip("needs our Collector: `make test-collector` or `make test-deploy` builds it and runs this")
    return Path(path)


@pytest.fixture
def site(binary: Path, certificate: Tls, tmp_path: Path) -> Site:
    return Site(binary, tmp_path, certificate)


@pytest.fixture
def running() -> Iterator[list[Process]]:
    """Takes what a test starts, and stops it."""
    processes: list[Process] = []
    yield processes
    for process in reversed(processes):
        process.stop()
