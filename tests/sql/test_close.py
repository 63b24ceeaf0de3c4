"""A closed month stays as it was booked, and the sum over all months is the truth at any time, to the last digit."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest

from spanledger_collector.closing import check_closable, close_month, month_of, states
from spanledger_collector.exceptions import UnsettledError, UsageError
from spanledger_collector.prices import Override, set_override
from tests.ledger import Ledger
from tests.otlp import SpanSpec, agent, chat
from tests.sql.landing import land

DIMENSIONS = "tenant, team, feature, service, environment, provider, model, completeness"
PRICE = Override(
    "openai", "house-5b", {"input_usd_per_token": Decimal("0.000003"), "output_usd_per_token": Decimal("0.000007")}
)
THIS = datetime.now(UTC).date().replace(day=1)


def ago(months: int) -> date:
    """The first day of the month so many months before this one."""
    day = THIS
    for _ in range(months):
        day = (day - timedelta(days=1)).replace(day=1)
    return day


def called(
    month: date, *, team: str = "a", model: str = "gpt-4o-mini", tokens: int = 1000, hour: int = 40, **more: Any
) -> SpanSpec:
    start = datetime(month.year, month.month, 1, tzinfo=UTC).timestamp() + hour * 3600
    names = {"gen_ai.request.model": model, "gen_ai.response.model": model, "spanledger.team": team or None}
    return chat(start, tokens=(tokens, 10), extra=names, **more)


@pytest.fixture
def priced(ledger: Ledger) -> Iterator[Ledger]:
    """The ledger, whose prices are the list's again afterwards."""
    yield ledger
    set_override(ledger.client, replace(PRICE, prices={}))


def booked(ledger: Ledger, *spans: SpanSpec) -> None:
    land(ledger, spans)
    ledger.settled()


def charged(ledger: Ledger, month: date) -> dict[str, Any]:
    return ledger.row(
        "select sum(s.calls) as calls, sum(s.booked_usd) as booked, sum(s.adjustment_usd) as adjusted, sum(s.total_usd) as total "
        "from statements as s where month = {month:Date}",
        month=month,
    )


def test_a_closed_month_stays_and_what_is_learned_later_is_an_adjustment(ledger: Ledger) -> None:
    booked(ledger, called(ago(2)), called(ago(1), tokens=2000))
    close_month(ledger.client, ago(2), closed_by="fin", note="first close")

    booked(ledger, called(ago(2), tokens=10_000, hour=50))

    first = Decimal("0.000156")
    late = Decimal("0.001506")
    assert charged(ledger, ago(2)) == {"calls": 1, "booked": first, "adjusted": 0, "total": first}
    second = Decimal("0.000306")
    assert charged(ledger, ago(1)) == {"calls": 1, "booked": second, "adjusted": late, "total": second + late}
    close_month(ledger.client, ago(1), closed_by="fin")
    assert charged(ledger, ago(1)) == {"calls": 1, "booked": second, "adjusted": late, "total": second + late}
    assert ledger.rows("select * from unbooked") == []
    assert ledger.rows("select month, calls, booked_usd, adjustment_usd, closed_by, note from closed_months order by month") == [
        {"month": ago(2), "calls": 1, "booked_usd": first, "adjustment_usd": 0, "closed_by": "fin", "note": "first close"},
        {"month": ago(1), "calls": 1, "booked_usd": second, "adjustment_usd": late, "closed_by": "fin", "note": ""},
    ]  # fmt: skip


def test_a_call_that_changes_teams_is_taken_from_one_and_given_to_the_other(ledger: Ledger) -> None:
    start = called(ago(1)).start
    whole = agent(start - 1, extra={"spanledger.team": "right"})
    inner = called(ago(1), team="", trace=whole.trace, parent=whole.span)
    booked(ledger, inner)
    close_month(ledger.client, ago(1), closed_by="fin")

    booked(ledger, whole)

    assert ledger.rows(
        "select team, adjustment_calls, adjustment_usd from statements where month = {m:Date} order by team", m=THIS
    ) == [
        {"team": "", "adjustment_calls": -1, "adjustment_usd": Decimal("-0.000156")},
        {"team": "right", "adjustment_calls": 1, "adjustment_usd": Decimal("0.000156")},
    ]
    assert charged(ledger, THIS)["total"] == 0


def test_a_price_that_comes_late_is_an_adjustment(priced: Ledger) -> None:
    booked(priced, called(ago(1), model="house-5b"))
    assert [(one.completeness, one.unknown, one.calls, one.high_usd) for one in states(priced.client, ago(1))] == [
        ("unpriced_model", True, 1, None)
    ]
    close_month(priced.client, ago(1), closed_by="fin")

    set_override(priced.client, PRICE)
    priced.settle()

    assert charged(priced, ago(1))["total"] == 0
    assert priced.row(
        "select total_usd, cost_usd from statements where month = {m:Date} and model != ''", m=ago(1)
    ) == {
        "total_usd": 0,
        "cost_usd": None,
    }
    assert priced.rows("select s.cost_usd as usd from statements as s where month = {m:Date} order by usd", m=THIS) == [
        {"usd": 0},
        {"usd": Decimal("0.00307")},
    ]
    assert charged(priced, THIS) == {
        "calls": 0,
        "booked": 0,
        "adjusted": Decimal("0.00307"),
        "total": Decimal("0.00307"),
    }


def test_all_months_together_are_the_truth_whatever_happens(priced: Ledger) -> None:
    dice = random.Random(7)
    orphans: list[tuple[SpanSpec, SpanSpec]] = []
    closed: dict[date, list[dict[str, Any]]] = {}
    for step in range(6):
        for _ in range(dice.randrange(1, 6)):
            month, team, hour = ago(dice.randrange(4)), dice.choice("ab"), dice.randrange(24 * 20)
            if month == THIS:
                hour = 0
            model = dice.choice(["gpt-4o-mini", "house-5b", "unknown-1b"])
            if dice.random() < 0.3:
                inner = called(month, team="", model=model, hour=hour, trace=step + 10**9 + dice.randrange(10**6))
                inner.parent = inner.span + 10**9
                whole = agent(inner.start - 1, trace=inner.trace, span=inner.parent, extra={"spanledger.team": team})
                orphans.append((inner, whole))
            else:
                inner = called(month, team=team, model=model, hour=hour, tokens=dice.randrange(1, 9999))
            land(priced, [inner] * dice.randrange(1, 3))
        if orphans and dice.random() < 0.6:
            land(priced, orphans.pop()[1:])
        if dice.random() < 0.3:
            prices = {name: price * dice.randrange(1, 5) for name, price in PRICE.prices.items()}
            set_override(priced.client, replace(PRICE, prices=prices), force=True)
        priced.settle()
        if step in {1, 3, 5}:
            month = ago(3 - len(closed))
            close_month(priced.client, month, closed_by="fin")
            closed[month] = statement(priced, month)

        truth = f"select {DIMENSIONS}, sum(c.calls) as n, sum(c.known_usd) as usd from costs as c group by {DIMENSIONS}"
        charged_in_all = (
            f"select {DIMENSIONS}, sum(s.calls + s.adjustment_calls) as n, sum(s.total_usd) as usd from statements as s "
            f"group by {DIMENSIONS} having n != 0 or usd != 0"
        )
        assert priced.rows(f"{charged_in_all} order by {DIMENSIONS}") == priced.rows(f"{truth} order by {DIMENSIONS}")
        assert {month: statement(priced, month) for month in closed} == closed


def statement(ledger: Ledger, month: date) -> list[dict[str, Any]]:
    return ledger.rows(
        f"select * from statements where month = {{month:Date}} order by {DIMENSIONS}, about", month=month
    )


def test_months_are_closed_once_in_order_and_when_they_are_over(ledger: Ledger) -> None:
    booked(ledger, called(ago(3)), called(ago(2)), called(ago(1)))

    with pytest.raises(UsageError, match=f"close {ago(3):%Y-%m} first"):
        check_closable(ledger.client, ago(2))
    with pytest.raises(
        UsageError, match=rf"{THIS:%Y-%m} is not over: it can be closed from \d{{4}}-\d\d-01 on \(UTC\)"
    ):
        check_closable(ledger.client, THIS)
    close_month(ledger.client, ago(3), closed_by="fin")
    with pytest.raises(UsageError, match=f"{ago(3):%Y-%m} is closed already.* in {ago(2):%Y-%m}"):
        close_month(ledger.client, ago(3), closed_by="fin")
    with pytest.raises(UsageError, match=f"{ago(2):%Y-%m} is the first open month"):
        check_closable(ledger.client, ago(4))


def test_a_month_that_several_close_at_one_time_is_booked_once(ledger: Ledger) -> None:
    booked(ledger, called(ago(1)), called(ago(1), team="other"))
    truth = ledger.row("select sum(known_usd) as usd, sum(c.calls) as n from costs as c")
    together = Barrier(4)

    def close(who: int) -> None:
        client = ledger.database.client()
        together.wait()
        with closing(client), suppress(UsageError):  # who comes late is told that it is closed already
            close_month(client, ago(1), closed_by=f"fin{who}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(close, range(4)))

    assert ledger.row("select sum(amount_usd) as usd, sum(b.calls) as n from bookings as b") == truth
    assert ledger.rows("select * from unbooked") == []
    assert len(ledger.rows("select * from closed_months")) == 1


def test_a_ledger_that_is_behind_is_not_closed(ledger: Ledger) -> None:
    land(ledger, [called(ago(1))])
    ledger.client.command(
        "insert into election_queue (marked_at, trace_id) select marked_at - interval 2 minute, trace_id from election_queue"
    )

    with pytest.raises(UnsettledError, match="1 traces wait for the election"):
        close_month(ledger.client, ago(1), closed_by="fin")
    assert ledger.rows("select * from closed_months") == []


def test_a_month_with_a_day_that_is_behind_its_hours_is_not_closed(ledger: Ledger) -> None:
    land(ledger, [called(ago(1))])
    ledger.settle()
    for table, stamp, minutes in (("cost_days", "run_at", 3), ("dirty_minutes", "marked_at", 2)):
        ledger.client.command(f"create table before engine = Memory as select * from {table}")
        ledger.client.command(f"truncate table {table}")
        earlier = f"{stamp} - interval {minutes} minute as {stamp}"
        ledger.client.command(f"insert into {table} select * replace({earlier}) from before")
        ledger.client.command("drop table before")

    with pytest.raises(UnsettledError):
        close_month(ledger.client, ago(1), closed_by="fin")
    ledger.settle()
    close_month(ledger.client, ago(1), closed_by="fin")


def test_a_month_without_calls_can_be_closed(ledger: Ledger) -> None:
    close_month(ledger.client, ago(1), closed_by="fin")

    assert ledger.row("select month, calls, booked_usd from closed_months") == {
        "month": ago(1),
        "calls": 0,
        "booked_usd": 0,
    }


@pytest.mark.parametrize("text", ["2026", "2026-13", "october", "2026-10-01", "0000-01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no month; write it as 2026-10"):
        month_of(text)
