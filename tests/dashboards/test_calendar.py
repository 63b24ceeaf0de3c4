"""What the panels say about today, the months, and where no cost is known; and that all of them run on a ledger that holds nothing."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from spanledger_collector.panels import expand, read_query
from spanledger_collector.panels.check import run_queries, window_of
from tests.ledger import Ledger
from tests.otlp import chat

MONTH = 30 * 86_400
BOOKED_BEFORE = (
    "insert into cost_hours (bucket, completeness, calls, known_usd, run_at) "
    "values (toStartOfHour(toDateTime({at:Int64}, 'UTC')), 'priced', 1, toDecimal128({usd:String}, 24), now64(3))"
)


def asked(ledger: Ledger, query: str, **variables: Sequence[str]) -> list[dict[str, Any]]:
    return ledger.rows(expand(read_query(query), window_of(MONTH), variables))


def test_every_query_runs_on_an_empty_ledger_with_columns_that_can_be_drawn(ledger: Ledger) -> None:
    assert [(ran.name, ran.fault) for ran in run_queries(ledger.client, MONTH) if ran.fault] == []


def test_today_the_month_and_the_forecast_follow_the_calendar(ledger: Ledger) -> None:
    now = time.time()
    calendar = ledger.row("select * from calendar")
    at, month, next_month = (calendar[name].timestamp() for name in ("at", "month", "next_month"))
    if at - month < 3600:
        pytest.skip("needs more than the first hour of a month behind it")
    usd = 1000 * 0.15e-6 + 100 * 0.6e-6

    ledger.settled(chat(now - 600), chat(now - 900, tokens=None))

    known = {"known_usd": pytest.approx(usd), "unknown_calls": 1}
    assert asked(ledger, "overview/month") == [known]
    assert asked(ledger, "overview/today")[0]["known_usd"] in (
        0,
        pytest.approx(usd),
    )  # just after midnight it was yesterday
    (forecast,) = asked(ledger, "overview/forecast")
    assert forecast["forecast_usd"] == pytest.approx(usd + usd / 86_400 * (next_month - at), rel=1e-3)


def test_last_month_is_compared_until_the_same_time(ledger: Ledger) -> None:
    calendar = ledger.row("select * from calendar")
    last, so_far = calendar["last_month"].timestamp(), calendar["last_month_so_far"].timestamp()
    if so_far - last < 3 * 3600:
        pytest.skip("needs more than the first hours of a month behind it")

    retention = ledger.row("select dateDiff('second', last_month, at) < 29 * 86400 as kept from calendar")["kept"]
    if not retention:
        ledger.client.command(BOOKED_BEFORE, parameters={"at": int(last + 3600), "usd": "0.001"})
        ledger.client.command(BOOKED_BEFORE, parameters={"at": int(so_far + 7200), "usd": "5"})
    else:
        ledger.deliver(chat(last + 3600), chat(so_far + 7200))
        ledger.settle()

    (row,) = asked(ledger, "overview/versus")
    assert row["before_usd"] == pytest.approx(0.001 if not retention else 1000 * 0.15e-6 + 100 * 0.6e-6)
    assert row["change"] == pytest.approx(-1)


def test_the_calendar_is_that_of_the_reporting_zone(ledger: Ledger) -> None:
    row = ledger.row(
        "select zone, today = toStartOfDay(now('UTC')) as midnight, month <= today as in_order, last_month < last_month_so_far as went_on, "
        "last_month_so_far <= month as ends, next_month > at as ahead from calendar"
    )

    assert row == {"zone": "UTC", "midnight": 1, "in_order": 1, "went_on": 1, "ends": 1, "ahead": 1}


def test_where_no_cost_is_known_none_is_known_per_call_either(ledger: Ledger) -> None:
    own = {"gen_ai.response.model": "acme-own-7b", "spanledger.team": "labs"}
    failed = {**own, "error.type": "openai.RateLimitError"}
    at = time.time() - 600

    ledger.settled(chat(at, extra=own), chat(at + 1, tokens=None, error=True, extra=failed))

    for query in ("attribution/by-team", "attribution/totals", "engineering/models", "engineering/totals"):
        (row,) = asked(ledger, query)
        assert (row["calls"], row["unknown_calls"], row["usd_per_call"]) == (2, 1, None), query
