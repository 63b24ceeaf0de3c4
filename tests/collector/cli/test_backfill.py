"""Spans that are in ClickHouse already become a ledger: once, whole, whatever stops in between."""

import json
import signal
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from spanledger_collector.cli.backfill import Reading, plan, read_hours
from spanledger_collector.database import open_embedded
from spanledger_collector.exceptions import InputError
from spanledger_collector.receiver.door import Door
from spanledger_collector.server import prepare
from tests.collector.cli.processes import python, spanledger
from tests.ledger import Ledger
from tests.otlp import agent, chat, request

FIRST, LAST = datetime.now(UTC) - timedelta(days=300), datetime.now(UTC) + timedelta(days=1)
TOTAL = "select sum(c.calls) as calls, sum(c.known_usd) as usd from costs as c"
OLDER = """
create table old_traces (Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, SpanName String,
  ServiceName String, SpanAttributes Map(String, String), ResourceAttributes Map(String, String), Duration Int64,
  StatusCode String) engine = MergeTree order by Timestamp"""
COPIED = """
insert into old_traces select Timestamp, upper(TraceId), upper(SpanId), upper(ParentSpanId), SpanName, ServiceName,
  SpanAttributes, ResourceAttributes,
  toInt64(Duration), 'STATUS_CODE_UNSET' from otel_traces"""


@pytest.fixture
def history(ledger: Ledger, recently: float) -> Ledger:
    """A month of telemetry in a table of an older collector, and an empty ledger."""
    for day in range(0, 28, 5):
        whole = agent(
            recently - day * 86_400, tokens=(2000, 200), extra={"spanledger.team": "core", "cost_center": "cc"}
        )
        ledger.deliver(whole, *(chat(whole.start + 1 + n, trace=whole.trace, parent=whole.span) for n in range(2)))
    ledger.client.command("drop table if exists old_traces")
    ledger.client.command(OLDER)
    ledger.client.command(COPIED)
    ledger.empty_but("old_traces")
    return ledger


def reading(ledger: Ledger, table: str = "old_traces", *, again: bool = False) -> Reading:
    return plan(ledger.client, table, FIRST, LAST, again=again)


def test_a_history_is_read_whole_and_judged_at_the_prices_of_its_time(history: Ledger) -> None:
    assert (reading(history).spans, len(reading(history).hours)) == (18, 6)

    read_hours(history.client, reading(history))
    history.settle()

    assert history.row(TOTAL) == {"calls": 12, "usd": Decimal("0.00252")}
    assert {row["team"] for row in history.rows("select team from calls")} == {"core"}


def test_a_reading_that_was_stopped_goes_on_and_doubles_nothing(history: Ledger) -> None:
    whole = reading(history)
    read_hours(history.client, Reading(whole.table, whole.generation, whole.hours[:4], 0, 0))

    left = reading(history)
    assert (len(left.hours), left.done_hours) == (2, 4)
    read_hours(history.client, left)
    read_hours(history.client, whole)  # and once more in full
    history.settle()

    assert history.row(TOTAL)["calls"] == 12
    assert reading(history).hours == []


def test_reading_again_corrects_what_was_read_with_fewer_names(history: Ledger) -> None:
    read_hours(history.client, reading(history))
    history.settle()
    history.client.command("insert into attribute_names values ('cost_center', 'team', 0, 'user')")
    history.client.command("system reload dictionary attribute_dict")

    read_hours(history.client, reading(history, again=True))
    history.settle()

    assert {row["team"] for row in history.rows("select team from calls")} == {"cc"}
    assert history.row(TOTAL)["calls"] == 12
    history.client.command("delete from attribute_names where name = 'cost_center'")
    history.client.command("system reload dictionary attribute_dict")


@pytest.mark.parametrize("table", ["genai_calls", "nothing_there"])
def test_what_is_no_table_of_spans_is_named(ledger: Ledger, table: str) -> None:
    with pytest.raises(InputError, match=table):
        reading(ledger, table)


# Is killed in the worst moment: an hour has been read, and that is not yet recorded.
KILLED = """
import os, signal, sys
from spanledger_collector.cli import run
module, left = sys.modules["spanledger_collector.cli.backfill"], [3]
recorded = module._record
def record(*arguments):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    recorded(*arguments)
module._record = record
run()
"""


KEPT = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from tests.collector.cli.test_backfill import keep_older_spans
keep_older_spans(Path(sys.argv[1]), float(sys.argv[2]))
"""


def keep_older_spans(store: Path, recently: float) -> None:
    """Make a store that holds 40 calls of 8 hours in a table of another collector, and nothing else."""
    with closing(open_embedded(store)) as database:
        prepare(database, "tests")
        with closing(database.client()) as client, closing(Door(database)) as door:
            client.command(OLDER)
            door.insert([request(chat(recently - 3600 * hour + second) for hour in range(8) for second in range(5))])
            client.command(COPIED)
            for table in (
                "otel_traces",
                "genai_calls",
                "trace_spans",
                "response_spans",
                "election_queue",
                "dirty_minutes",
            ):
                client.command(f"truncate table {table}")


@pytest.mark.e2e
def test_a_backfill_that_is_killed_and_run_again_gives_the_true_totals(tmp_path: Path, recently: float) -> None:
    store = tmp_path / "ledger"
    # a process holds one engine, and this one's is that of the other tests
    made = python("-c", KEPT, store, recently)
    assert made.code == 0, made.err

    command = ("backfill", "--from-table", "old_traces", "--store", store)
    killed = [python("-c", KILLED, *command).code for _ in range(2)]
    ended = spanledger(*command, "--json")

    assert killed == [-signal.SIGKILL, -signal.SIGKILL]
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert (told["hours_read_before"], told["hours"], told["spans"] + told["spans_read_before"]) == (4, 4, 40)
    total = spanledger("query", f"{TOTAL} format JSONEachRow", "--store", store)
    assert {name: str(value) for name, value in json.loads(total.out).items()} == {"calls": "40", "usd": "0.0084"}
