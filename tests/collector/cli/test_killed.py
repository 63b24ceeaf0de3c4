"""Commands on a store whose process was killed: what landed is booked first, and nothing runs that nobody asked for."""

import json
import shutil
import time
from contextlib import closing
from pathlib import Path

import pytest

from spanledger_collector.database import open_embedded
from tests.collector.cli.processes import spanledger
from tests.collector.cli.recorded import CALLS

pytestmark = pytest.mark.e2e


@pytest.fixture
def killed(store: Path, tmp_path: Path) -> Path:
    """A copy of the store that looks as if its process had been killed after the spans landed and before they were booked."""
    copied = tmp_path / "ledger"
    shutil.copytree(store, copied, symlinks=True)
    with closing(open_embedded(copied)) as database, closing(database.client()) as client:
        client.command("truncate table genai_calls")
        client.command("truncate table trace_spans")
        left = (copied / "serving.json").read_bytes()
    (copied / "serving.json").write_bytes(left)
    return copied


def test_the_first_command_after_a_kill_books_what_had_landed(killed: Path) -> None:
    first = spanledger("cost", "--json", "--store", killed)

    assert (first.code, first.err) == (0, "")
    assert [row["calls"] for row in json.loads(first.out)] == [CALLS]


def test_opening_a_store_runs_no_view_by_itself(store: Path) -> None:
    with closing(open_embedded(store)) as database, closing(database.client()) as client:
        time.sleep(1)
        ran = client.query("select view from system.view_refreshes where last_refresh_time is not null").result_rows

    assert not database.was_killed
    assert ran == []
