"""A clock that goes back hides nothing: what is stamped with a time that has not come is judged and summed again."""

import pytest

from spanledger_collector.clock import follow_clock
from spanledger_collector.refresh import judge
from tests.ledger import Ledger
from tests.otlp import agent, chat

TOTAL = "select sum(c.calls) as calls, sum(c.known_usd) as usd from costs as c"
STAMPS = {
    "election_queue": "marked_at",
    "elections": "due_to",
    "dirty_minutes": "marked_at",
    "cost_minutes": "run_at",
    "actor_minutes": "run_at",
    "cost_hours": "run_at",
    "actor_hours": "run_at",
    "cost_days": "run_at",
    "trace_spans": "known_at",
}


def set_clock_back(ledger: Ledger, hours: int = 5) -> None:
    """Leave the ledger as one that was filled before the clock was set back by so many hours."""
    for table, stamp in STAMPS.items():
        ledger.client.command(f"create table before engine = Memory as select * from {table}")
        ledger.client.command(f"truncate table {table}")
        ledger.client.command(
            f"insert into {table} select * replace({stamp} + interval {hours} hour as {stamp}) from before"
        )
        ledger.client.command("drop table before")
    later = hours * 3600 * 100
    ledger.client.command("create table before engine = Memory as select * from genai_calls")
    ledger.client.command("truncate table genai_calls")
    ledger.client.command(
        f"insert into genai_calls select * replace(version + if(bitAnd(version, 68719476735) = 0, 0, {later}) as version, "
        f"ingested_at + interval {hours} hour as ingested_at) from before"
    )
    ledger.client.command("drop table before")


def test_what_comes_after_the_clock_went_back_is_in_the_views_at_once(ledger: Ledger, recently: float) -> None:
    ledger.settled(chat(recently), chat(recently + 60))
    set_clock_back(ledger)

    ledger.deliver(chat(recently + 1))
    ledger.settle()

    assert ledger.row(TOTAL)["calls"] == 3
    assert ledger.rows("select * from ledger_check where calls_difference != 0 or usd_difference != 0") == []
    assert ledger.rows("select * from rollup_lag") == []
    judge(ledger.client)  # once more, when the insert has ended for certain: on a slow machine that is due by now
    assert ledger.row("select traces from election_lag") == {"traces": 0}


def test_a_call_that_bills_is_covered_by_what_comes_after_the_clock_went_back(ledger: Ledger, recently: float) -> None:
    again = {"gen_ai.response.id": "chatcmpl-0123456789abcdef0123456789"}
    ledger.settled(chat(recently + 1, extra=again))
    set_clock_back(ledger)

    ledger.deliver(chat(recently, extra=again))
    ledger.settle()

    calls = ledger.rows("select cost_usd from calls")
    assert len(calls) == 1
    assert ledger.row(TOTAL) == {"calls": 1, "usd": calls[0]["cost_usd"]}


def test_a_wrapper_that_came_before_the_clock_went_back_waits_for_no_later_time(
    ledger: Ledger, recently: float
) -> None:
    ledger.deliver(agent(recently, tokens=(2000, 200)))
    set_clock_back(ledger)

    ledger.settle()

    assert ledger.row(TOTAL)["calls"] == 1


@pytest.mark.parametrize("hours", [0, -5])
def test_a_clock_that_did_not_go_back_changes_nothing(ledger: Ledger, recently: float, hours: int) -> None:
    ledger.settled(chat(recently))
    set_clock_back(ledger, hours)

    assert not follow_clock(ledger.client)
