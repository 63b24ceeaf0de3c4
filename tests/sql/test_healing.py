"""What a process that is killed between two tables leaves behind heals by itself."""

import pytest

from spanledger_collector.refresh import heal
from tests.ledger import Ledger
from tests.otlp import agent, chat

TOTAL = "select sum(c.calls) as calls, sum(c.known_usd) as usd from costs as c"


@pytest.mark.parametrize(
    "lost",
    [
        "genai_calls",
        "trace_spans, genai_calls",
        "election_queue, trace_spans",
        "dirty_minutes",
        "cost_hours, actor_minutes",
        "cost_days",
    ],
)
def test_tables_that_were_not_filled_are_filled_at_the_next_sweep(ledger: Ledger, recently: float, lost: str) -> None:
    whole = agent(recently, tokens=(2000, 200), extra={"spanledger.team": "core"})
    ledger.deliver(whole, chat(recently + 1, trace=whole.trace, parent=whole.span), chat(recently + 60))
    if lost in {"dirty_minutes", "cost_hours, actor_minutes"}:
        ledger.settle()
    for table in lost.split(", "):
        ledger.client.command(f"truncate table {table}")

    heal(ledger.client)
    ledger.settle()

    assert ledger.row(TOTAL)["calls"] == 2
    assert [row["team"] for row in ledger.rows("select team from calls order by ts")] == ["core", ""]
    assert ledger.rows("select * from ledger_check where calls_difference != 0 or usd_difference != 0") == []


def test_a_sweep_over_a_whole_ledger_changes_nothing(ledger: Ledger, recently: float) -> None:
    ledger.settled(*(chat(recently + number) for number in range(10)))
    before = ledger.rows("select * from calls order by span_id"), ledger.row(TOTAL)

    heal(ledger.client)
    ledger.settle()

    assert (ledger.rows("select * from calls order by span_id"), ledger.row(TOTAL)) == before
    assert ledger.rows("select * from rollup_lag") == []
