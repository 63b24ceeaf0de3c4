"""How long things are kept is a setting of the ledger: old rows go, sums stay, and what is gone is never summed again as if it were all."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from spanledger_collector.database import open_embedded
from spanledger_collector.exceptions import UsageError
from spanledger_collector.migrations import migrate
from spanledger_collector.receiver.door import Door
from spanledger_collector.retention import (
    changed_retention,
    kept_retention,
    lost,
    whole_days,
    wished_retention,
    write_retention,
)
from spanledger_collector.target import Target
from tests.ledger import Ledger
from tests.otlp import chat

DAY = 86400
TTLS = """select name, extract(engine_full, 'TTL .*?toInterval\\w+\\(\\d+\\)') as ttl
from system.tables where database = 'spanledger'"""


@pytest.fixture
def kept(new_store: Callable[[], Path]) -> Iterator[Ledger]:
    """A ledger of its own: its settings are changed."""
    with (
        closing(open_embedded(new_store())) as database,
        closing(database.client()) as client,
        closing(Door(database)) as door,
    ):
        yield Ledger(database, client, door)


def change(ledger: Ledger, **wished: int) -> dict[str, int]:
    """Change what the ledger keeps, as the command does; return what was too old for it."""
    new = changed_retention(kept_retention(ledger.client, ledger.database.target), wished)
    gone = lost(ledger.client, new)
    write_retention(ledger.client, new)
    migrate(ledger.client, new)
    return gone


def merged(ledger: Ledger) -> None:
    """Do now what the engine does in time: drop what is too old."""
    for table in ("otel_traces", "genai_calls", "cost_hours", "actor_hours"):
        ledger.client.command(f"alter table {table} materialize ttl settings mutations_sync = 2")
        ledger.client.command(f"optimize table {table} final")


def number(ledger: Ledger, sql: str) -> int:
    return int(ledger.client.query(sql).result_rows[0][0] or 0)


def ttls(ledger: Ledger) -> dict[str, str]:
    return {str(name): str(ttl) for name, ttl in ledger.client.query(TTLS).result_rows}


def test_spans_and_calls_go_their_sums_stay_and_late_spans_do_not_spoil_them(kept: Ledger) -> None:
    now = time.time()
    kept.deliver(
        *(chat(now - days * DAY) for days in (1, 20)), *(chat(now - 60 * DAY + second) for second in range(30))
    )
    kept.settle()

    assert change(kept, raw_days=10, calls_days=40)["calls"] == 30
    merged(kept)
    kept.settle()

    assert number(kept, "select count() from otel_traces") == 1
    assert number(kept, "select count() from genai_calls") == 2
    assert number(kept, "select sum(calls) from costs") == 32
    assert number(kept, "select count() from rollup_lag") == 0

    assert change(kept, calls_days=400) == {}
    kept.deliver(chat(now - 60 * DAY + 40), chat(now - 30 * DAY))
    kept.settle()

    assert whole_days(kept_retention(kept.client, Target())) == 40
    assert number(kept, "select sum(calls) from costs") == 33, (
        "the day whose calls are gone is not made of one late call"
    )
    assert kept.client.query("select reason, count() from quarantined_spans group by reason").result_rows == [
        ("starts before the ledger's retention", 1)
    ]


def test_a_change_that_was_stopped_halfway_is_finished_by_the_next_start_in_every_table(kept: Ledger) -> None:
    before = ttls(kept)
    wished = {"raw_days": 11, "calls_days": 44, "rollup_years": 7}
    write_retention(kept.client, changed_retention(kept_retention(kept.client, Target()), wished))
    migrate(kept.client, kept.database.target)
    after = ttls(kept)

    assert tables(before, "Day(30)") - tables(after, "Day(11)") == {"elections", "repriced_minutes"}, "fixed times"
    assert tables(before, "Day(400)") == tables(after, "Day(44)") != set()
    assert tables(before, "Year(5)") == tables(after, "Year(7)") == {"cost_hours", "actor_hours", "cost_days"}
    assert migrate(kept.client, kept.database.target) == []


def tables(found: dict[str, str], part: str) -> set[str]:
    return {table for table, ttl in found.items() if part in ttl}


def test_the_environment_wishes_for_a_new_ledger_and_cannot_change_one(kept: Ledger) -> None:
    with pytest.raises(UsageError, match="has raw-days 30, not 60"):
        migrate(kept.client, replace(kept.database.target, raw_days=60))


@pytest.mark.parametrize(
    "wished", [{"raw_days": 1}, {"raw_days": 60, "calls_days": 40}, {"calls_days": 31}, {"rollup_years": 51}]
)
def test_what_contradicts_itself_is_refused(wished: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(wished)).replace("_", "-")):
        wished_retention(Target(**wished))  # type: ignore[arg-type]


def test_a_new_ledger_is_made_as_wished(tmp_path: Path) -> None:
    target = Target(raw_days=7, calls_days=100, rollup_years=3)
    with closing(open_embedded(tmp_path / "ledger", target)) as database, closing(database.bare_client()) as client:
        migrate(client, target)
        found = {str(name): str(ttl) for name, ttl in client.query(TTLS).result_rows}

    assert "Day(7)" in found["otel_traces"]
    assert "Day(100)" in found["genai_calls"]
    assert "Year(3)" in found["cost_hours"]
