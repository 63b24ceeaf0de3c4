"""Spans that are in ClickHouse already become a ledger: once, whole, whatever stops in between."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from spanledger_collector.cli.backfill import Reading, plan, read_hours
from spanledger_collector.exceptions import InputError
from tests.ledger import Ledger
from tests.otlp import agent, chat

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
