"""An ack means stored: a collector that is killed at any moment loses nothing that it acknowledged, and doubles nothing."""

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from spanledger_collector.database import open_embedded
from tests.bench.kills import Campaign

pytestmark = pytest.mark.e2e

MEMORY = Path("/dev/shm")  # noqa: S108 - where the collector keeps a private folder


def started(store: Path) -> tuple[subprocess.Popen[str], str]:
    """Start `spanledger up` and return it with its OTLP URL once it serves."""
    ports = ["--otlp-http-port", "0", "--otlp-grpc-port", "0", "--clickhouse-port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "spanledger_collector", "up", "--store", str(store), *ports],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"OTLP/HTTP +(http://\S+)", line)
        if found:
            return process, found[1]
    raise AssertionError(f"the collector ended with {process.wait()}")


def test_killed_collectors_lose_and_double_nothing(new_store: Callable[[], Path]) -> None:
    campaign = Campaign(new_store(), random.Random(7))

    for moment in ("load", "stop", "load"):
        campaign.kill(moment)
    totals = campaign.finish()

    assert campaign.acknowledged > 0
    assert totals.calls == totals.distinct == totals.summed == campaign.acknowledged
    assert totals.usd == totals.summed_usd
    assert totals.differences == 0


def private_folders(store: Path) -> set[Path]:
    return {folder for parent in (MEMORY, store) for folder in parent.glob(f"spanledger-{os.getuid()}-*")}


def test_span_data_that_a_killed_collector_left_in_memory_is_removed(new_store: Callable[[], Path]) -> None:
    store = new_store()
    with closing(open_embedded(store)):
        own = private_folders(store)
    own -= private_folders(store)
    process, _ = started(store)
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()
    left = own.pop() / "left.native"
    left.write_bytes(b"span data")

    with closing(open_embedded(store)):
        assert left.parent.stat().st_mode & 0o077 == 0
        assert not left.exists()
    assert not left.parent.exists()
