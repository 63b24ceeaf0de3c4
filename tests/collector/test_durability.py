"""An ack means stored: a collector that is killed at any moment loses nothing that it acknowledged, and doubles nothing."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from spanledger_collector.database import open_embedded
from spanledger_collector.refresh import settle
from tests.otlp import chat, request

pytestmark = pytest.mark.e2e

MEMORY = Path("/dev/shm")  # noqa: S108 - where the collector keeps a private folder
KILLS = 4
BATCH = 20


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


def batches(start: float) -> Iterator[bytes]:
    number = 0
    while True:
        at = start + number
        yield request(chat(at + index / 1000, tokens=(100, 10)) for index in range(BATCH)).body
        number += 1


def send_until(url: str, pending: list[bytes], source: Iterator[bytes], end: float) -> int:
    """Send what is pending and then new batches; return how many were acknowledged, leave in ``pending`` what was not."""
    acknowledged = 0
    while time.monotonic() < end:
        if not pending:
            pending.append(next(source))
        call = urllib.request.Request(f"{url}/v1/traces", pending[0], {"Content-Type": "application/x-protobuf"})  # noqa: S310
        try:
            urllib.request.urlopen(call, timeout=10).close()  # noqa: S310
        except OSError:
            return acknowledged
        del pending[0]
        acknowledged += 1
    return acknowledged


def test_killed_collectors_lose_and_double_nothing(tmp_path: Path) -> None:
    store, pending, acknowledged = tmp_path / "store", list[bytes](), 0
    source = batches(time.time() - 4000)

    for kill in range(KILLS):
        process, url = started(store)
        killer = subprocess.Popen(["sh", "-c", f"sleep {0.7 + 0.37 * kill}; kill -9 {process.pid}"])
        acknowledged += send_until(url, pending, source, time.monotonic() + 20)
        killer.wait()
        assert process.wait() == -signal.SIGKILL
        assert process.stderr is not None
        process.stderr.close()

    # The last unanswered batch is never sent again: it may be stored or not, but whole or not at all.
    with closing(open_embedded(store)) as database, closing(database.client()) as client:
        settle(client)
        calls, usd = client.query("select sum(c.calls), sum(c.known_usd) from costs as c").result_rows[0]
        billed = client.query("select count(), uniqExact(span_id) from calls").result_rows[0]
        lost = client.query(
            "select sum(abs(calls_difference)), sum(abs(usd_difference)) from ledger_check"
        ).result_rows[0]

    assert acknowledged > KILLS
    assert calls in {acknowledged * BATCH, (acknowledged + len(pending)) * BATCH}
    assert billed == (calls, calls)
    assert lost == (0, 0)
    assert usd > 0


def private_folders(store: Path) -> set[Path]:
    return {folder for parent in (MEMORY, store) for folder in parent.glob(f"spanledger-{os.getuid()}-*")}


def test_span_data_that_a_killed_collector_left_in_memory_is_removed(tmp_path: Path) -> None:
    store = tmp_path / "store"
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
