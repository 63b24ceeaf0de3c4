"""Days are the sums of their hours, whatever happens to the hours, and what reads many days reads them."""

import time
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from spanledger_collector.clock import follow_clock
from spanledger_collector.prices import Override, set_override
from spanledger_collector.refresh import catch_up, judge, refresh
from tests.ledger import Ledger, source
from tests.otlp import agent, chat
from tests.sql.test_clock import set_clock_back

DAY = 86_400
DIMENSIONS = (
    "tenant, team, feature, service, environment, task, agent, agent_step, provider, model, operation, service_tier, "
    "completeness, rate_id"
)
ALL = source("costs_between")


@pytest.fixture
def lately() -> float:
    """Noon of three days ago: a day that is over."""
    return time.time() // DAY * DAY - 2.5 * DAY


def by_day(ledger: Ledger, view: str) -> list[dict[str, Any]]:
    """Return all sums by day and dimensions, of the days that are over."""
    sums = ledger.rows(
        "select name from system.columns where table = 'costs' and database = currentDatabase() order by position"
    )
    measures = [row["name"] for row in sums if row["name"] not in {"bucket", "unknown", *DIMENSIONS.split(", ")}]
    summed = ", ".join(f"sum(c.{name}) as {name}" for name in measures)
    over = "toStartOfDay(bucket) < toStartOfDay(now('UTC') - interval 2 hour)"
    days = f"select toStartOfDay(bucket) as day, {DIMENSIONS}, unknown, {summed} from {view} as c where {over} group by all order by all"
    return ledger.rows(days)


def holds(ledger: Ledger) -> None:
    """The days are those of the hours, in every column, and nothing says that it is behind."""
    assert by_day(ledger, "daily_costs") == by_day(ledger, "costs") == by_day(ledger, ALL)
    assert ledger.rows("select * from rollup_lag") == []


def spread(start: float, days: int) -> Iterable[Any]:
    for number in range(days * 4):
        extra = {
            "spanledger.team": f"t{number // 4 % 3}",
            "gen_ai.response.model": ("gpt-4o-mini", "house-7b")[number // 4 % 2],
        }
        yield chat(start - number * 21_000, extra=extra, tokens=(100 + number, number))


def test_days_are_the_sums_of_their_hours_in_every_column(ledger: Ledger, lately: float) -> None:
    ledger.settled(*spread(lately, 12))

    holds(ledger)
    assert ledger.row("select uniqExact(bucket) as days, sum(c.calls) as n from daily_costs as c") == {
        "days": 12,
        "n": 48,
    }
    assert len(ledger.rows(f"select * from {ALL}")) < len(ledger.rows("select * from costs"))


def test_what_comes_late_is_in_its_day(ledger: Ledger, lately: float) -> None:
    ledger.settled(*spread(lately, 3))

    ledger.settled(chat(lately + 60, extra={"spanledger.team": "late"}), chat(lately - 100 * DAY))

    holds(ledger)
    assert ledger.row(f"select sum(c.calls) as n from {ALL} as c") == {"n": 14}
    assert ledger.row("select sum(c.calls) as n from daily_costs as c where team = 'late'") == {"n": 1}


def test_who_waits_for_sums_waits_for_all_days(ledger: Ledger, lately: float) -> None:
    ledger.settled(*spread(lately, 9))
    ledger.deliver(*(chat(lately - number * DAY, extra={"spanledger.team": "late"}) for number in range(9)))
    judge(ledger.client)

    assert catch_up(ledger.client, seconds=60)

    holds(ledger)
    assert ledger.row("select sum(c.calls) as n from daily_costs as c where team = 'late'") == {"n": 9}


def test_a_call_that_gets_its_team_later_leaves_no_ghost_in_its_day(ledger: Ledger, lately: float) -> None:
    whole = agent(lately, extra={"spanledger.team": "late"})
    ledger.settled(chat(lately + 1, trace=whole.trace, parent=whole.span))

    ledger.settled(whole)

    holds(ledger)
    assert ledger.rows("select team, calls from daily_costs") == [{"team": "late", "calls": 1}]


def test_another_price_prices_days_again(ledger: Ledger, lately: float) -> None:
    ledger.settled(chat(lately, tokens=(100, 10), extra={"gen_ai.response.model": "house-9b"}))
    assert ledger.row("select known_usd, unknown from daily_costs") == {"known_usd": Decimal(0), "unknown": 1}

    prices = {"input_usd_per_token": Decimal("0.000001"), "output_usd_per_token": Decimal("0.000002")}
    set_override(ledger.client, Override("openai", "house-9b", prices))
    ledger.settle()

    holds(ledger)
    assert ledger.row("select known_usd, unknown from daily_costs") == {"known_usd": Decimal("0.00012"), "unknown": 0}


def test_days_that_were_never_made_are_read_by_hour(ledger: Ledger, lately: float) -> None:
    ledger.settled(*spread(lately, 9))
    sums = by_day(ledger, ALL)
    days = ledger.row("select uniqExact(bucket) as n from daily_costs")["n"]

    ledger.client.command("truncate table cost_days")

    assert by_day(ledger, ALL) == sums
    assert ledger.row("select rollup_table, buckets from rollup_lag") == {
        "rollup_table": "cost_days",
        "buckets": days,
    }
    refresh(ledger.client, "cost_days_mv")  # the oldest of them
    assert ledger.row("select uniqExact(bucket) as n from daily_costs") == {"n": 5}
    assert by_day(ledger, ALL) == sums
    ledger.settle()
    holds(ledger)


def test_a_day_that_is_behind_says_so_and_is_as_it_was(ledger: Ledger, lately: float) -> None:
    ledger.settled(chat(lately))
    ledger.deliver(chat(lately + 3600))
    judge(ledger.client)
    refresh(ledger.client, "cost_hours_mv")

    assert ledger.rows("select rollup_table from rollup_lag where rollup_table like 'cost_%s'") != []
    assert ledger.row("select sum(c.calls) as n from costs as c") == {"n": 2}
    assert ledger.row(f"select sum(c.calls) as n from {ALL} as c") == {"n": 1}
    refresh(ledger.client, "cost_days_mv")
    assert ledger.row(f"select sum(c.calls) as n from {ALL} as c") == {"n": 2}


def test_a_day_that_was_made_between_two_of_its_hours_is_made_again(ledger: Ledger, lately: float) -> None:
    """The hours of a large delivery are made over minutes: the second is made long after its mark, and after the day."""
    ledger.deliver(chat(lately), chat(lately + 3600))
    judge(ledger.client)
    marked = "insert into dirty_minutes select toStartOfMinute(ts), now64(3, 'UTC') - interval 5 minute from genai_calls where ts"
    ledger.client.command("truncate table dirty_minutes")
    ledger.client.command(f"{marked} < toDateTime({int(lately) + 1800})")
    ledger.settle()
    assert ledger.row("select sum(c.calls) as n from daily_costs as c") == {"n": 1}

    ledger.client.command(f"{marked} > toDateTime({int(lately) + 1800})")
    refresh(ledger.client, "cost_hours_mv")
    assert ledger.row("select sum(c.calls) as n from costs as c") == {"n": 2}
    assert ledger.rows("select rollup_table from rollup_lag where rollup_table = 'cost_days'") != []
    ledger.settle()

    holds(ledger)
    assert ledger.row("select sum(c.calls) as n from daily_costs as c") == {"n": 2}


def test_a_day_that_is_not_over_is_not_made(ledger: Ledger) -> None:
    now = time.time()
    ledger.settled(chat(now), chat(now - 3600), chat(now + 3600))

    assert ledger.row(f"select sum(c.calls) as n from {ALL} as c") == {"n": 3}
    assert (
        ledger.rows("select bucket from daily_costs where bucket >= toStartOfDay(now('UTC') - interval 2 hour)") == []
    )


def test_days_follow_a_clock_that_went_back(ledger: Ledger, lately: float) -> None:
    ledger.settled(*spread(lately, 4))
    set_clock_back(ledger)

    ledger.deliver(chat(lately + 1))
    assert follow_clock(ledger.client)
    ledger.settle()

    holds(ledger)
    assert ledger.row(f"select sum(c.calls) as n from {ALL} as c") == {"n": 17}
