"""What finance asks and does, as processes: costs by time, explanations, closing a month, statements; while `up` serves, too."""

import csv
import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.collector.cli.processes import Ended, Up, spanledger, up
from tests.otlp import chat, request

pytestmark = pytest.mark.e2e

THIS = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
LAST_DAY = THIS - timedelta(hours=12)
MONTH, OPEN = f"{LAST_DAY:%Y-%m}", f"{THIS:%Y-%m}"
EACH_USD = Decimal("0.00021")
BY_TIME = {
    "day": str(LAST_DAY.date()),
    "week": str((LAST_DAY - timedelta(days=LAST_DAY.weekday())).date()),
    "month": MONTH,
}


def asked(store: Path, *command: object) -> Any:
    ended = spanledger(*command, "--json", "--store", store)
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three calls of the last day of last month, one of them without usage."""
    folder = tmp_path_factory.mktemp("finance")
    at = LAST_DAY.timestamp()
    spans = [
        chat(at, extra={"spanledger.team": "a"}),
        chat(at + 1, extra={"spanledger.team": "b"}),
        chat(at + 2, tokens=None),
    ]
    (folder / "calls.pb").write_bytes(request(spans).body)
    assert spanledger("replay", folder / "calls.pb", "--store", folder / "ledger").code == 0
    return folder / "ledger"


@pytest.fixture(scope="module")
def served(ledger: Path) -> Iterator[Up]:
    with up(ledger) as running:
        yield running
        assert running.stop(signal.SIGTERM).code == 0


def test_days_weeks_and_months_of_a_store_sum_to_its_total(ledger: Path) -> None:
    for period, first in BY_TIME.items():
        (row,) = asked(ledger, "cost", "--by", period, "--since", str(LAST_DAY.date()))
        assert (row[period], row["calls"], Decimal(row["known_usd"]), row["unknown_calls"]) == (
            first,
            3,
            2 * EACH_USD,
            1,
        )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["close", "October"], 2, "'October' is no month"),
        (["close", "2026-13"], 2, "'2026-13' is no month"),
        (["close", OPEN], 2, "is not over"),
        (["close", MONTH], 2, "Nothing was done. --yes does it without asking."),
        (["statement", "soon"], 2, "'soon' is no month"),
        (["statement", MONTH, "--by", "user"], 2, "'user' is no dimension of a statement"),
        (["statement", MONTH, "--json", "--csv"], 2, "not both"),
        (["cost", "--by", "quarter"], 2, "'quarter' is no dimension"),
        (["zone", "Mars/Olympus"], 2, "'Mars/Olympus' is no time zone"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    ledger: Path, arguments: list[str], code: int, said: str
) -> None:
    ended = spanledger(*arguments, "--store", ledger)

    assert (ended.code, ended.out) == (code, ""), ended
    assert said in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


def test_one_month_is_asked_for_alone_and_as_csv(ledger: Path) -> None:
    month = ("--since", f"{MONTH}-01", "--until", f"{OPEN}-01")
    header, *lines = spanledger("cost", *month, "--csv", "--store", ledger).out.splitlines()
    rows = [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]

    assert {row["team"]: (row["known_usd"], row["cost_usd"]) for row in rows} == {
        "a": ("0.00021", "0.00021"),
        "b": ("0.00021", "0.00021"),
        "": ("0", ""),
    }
    assert asked(ledger, "cost", "--since", f"{MONTH}-01", "--until", f"{LAST_DAY.date()}") == []
    backwards = spanledger("cost", "--since", "1d", "--until", "2d", "--store", ledger)
    assert (backwards.code, backwards.sentence) == (2, "--until: 2d is not after --since 1d.")


def test_a_month_that_nobody_closed_has_no_time_of_it(ledger: Path) -> None:
    (month,) = asked(ledger, "statement")
    header, line = spanledger("statement", "--csv", "--store", ledger).out.splitlines()

    assert (month["is_closed"], month["closed_at"]) == (0, None)
    assert dict(zip(header.split(","), line.split(","), strict=True))["closed_at"] == ""


def test_a_cost_that_is_unknown_is_no_number_for_programs_and_what_is_known_adds_up(ledger: Path) -> None:
    lines = {line["team"]: line for line in asked(ledger, "statement", MONTH)}
    (month,) = asked(ledger, "statement")
    table = list(csv.DictReader(spanledger("statement", MONTH, "--csv", "--store", ledger).out.splitlines()))

    assert {team: line["cost_usd"] for team, line in lines.items()} == {"a": "0.00021", "b": "0.00021", "": None}
    assert sum(Decimal(line["known_usd"]) for line in lines.values()) == Decimal(month["known_usd"]) == 2 * EACH_USD
    assert month["cost_usd"] is None
    assert {row["team"]: row["cost_usd"] for row in table} == {"a": "0.00021", "b": "0.00021", "": ""}
    assert {name for name in table[0] if name.endswith("_usd")} == {
        "known_booked_usd",
        "known_adjustment_usd",
        "known_usd",
        "cost_usd",
    }


def test_a_month_is_closed_while_up_serves_and_stays_as_booked(served: Up) -> None:
    closed = spanledger("close", MONTH, "--note", "checked", "--yes", "--store", served.store)
    again = spanledger("close", MONTH, "--yes", "--store", served.store)

    assert closed.code == 0, closed.err
    assert f"{MONTH} is closed with 0.000420 USD" in closed.out
    assert "The cost of 1 call is unknown" in closed.err
    assert again.code == 2, again
    assert "closed already" in again.sentence
    lines = asked(served.store, "statement", MONTH, "--by", "team")
    assert {line["team"]: Decimal(line["known_usd"]) for line in lines} == {
        "a": EACH_USD,
        "b": EACH_USD,
        "": Decimal(0),
    }
    (month,) = asked(served.store, "statement")
    assert (month["month"][:7], month["note"]) == (MONTH, "checked")
    overview = spanledger("statement", "--store", served.store, NO_COLOR="1").out
    assert overview.split("total")[-1].split()[:7] == ["3", "≥", "0.000420", "0.000000", "≥", "0.000420", "≥:"]


def test_a_late_call_is_an_adjustment_that_names_its_month(served: Up) -> None:
    late = served.store.parent / "late.pb"
    late.write_bytes(request([chat(LAST_DAY.timestamp() + 3, extra={"spanledger.team": "b"})]).body)
    assert spanledger("replay", late, "--store", served.store).code == 0

    shown = spanledger("statement", OPEN, "--store", served.store, NO_COLOR="1").out
    (line,) = asked(served.store, "statement", OPEN)
    table = spanledger("statement", OPEN, "--csv", "--store", served.store).out

    assert f"adjusts {MONTH}: +1 call, +0.00021 USD" in shown
    assert shown.split("total USD")[1].split()[1:7] == ["b", "0", "+1", "0.000000", "0.000210", "0.000210"]
    assert (line["calls"], line["adjustment_calls"]) == (0, 1)
    assert line["adjusts"] == [{"month": MONTH, "calls": 1, "known_usd": "0.00021", "cost_usd": "0.00021"}]
    assert f"{MONTH}: +1 call, +0.00021 USD" in table


def test_an_explanation_through_up_is_that_of_the_store(served: Up) -> None:
    span = json.loads(
        spanledger(
            "query", "select span_id from calls where team = 'a' format JSONEachRow", "--store", served.store
        ).out
    )

    shown = spanledger("explain", span["span_id"], "--store", served.store, COLUMNS="80")
    (told,) = asked(served.store, "explain", span["span_id"])["spans"]

    assert shown.code == 0, shown.err
    assert "0.00021 USD" in shown.out
    assert (
        sum(Decimal(line["usd"]) for line in told["price"]["lines"]) == Decimal(told["price"]["cost_usd"]) == EACH_USD
    )
    missing = spanledger("explain", "ffffffffffffffff", "--store", served.store)
    assert (missing.code, "Calls are kept 400 days" in missing.sentence) == (1, True)


def test_how_long_a_served_ledger_keeps_things_is_shown_and_not_changed(served: Up) -> None:
    shown = spanledger("retention", "--store", served.store)
    changed = spanledger("retention", "--raw-days", 10, "--yes", "--store", served.store)

    assert shown.out == "Spans and log records are kept 30 days, calls 400 days, hourly sums 5 years.\n"
    assert (changed.code, "is in use by process" in changed.sentence) == (1, True)


def test_the_zone_of_a_served_ledger_is_shown_and_not_changed(served: Up) -> None:
    shown: Ended = spanledger("zone", "--store", served.store)
    changed = spanledger("zone", "Europe/Berlin", "--yes", "--store", served.store)

    assert (shown.code, shown.out) == (0, "UTC\n")
    assert changed.code == 1
    assert f"is in use by process {served.process.pid}" in changed.sentence
    assert (
        "all other commands go through it but `migrate`, and `zone` and `retention` when they change something"
        in changed.sentence
    )
