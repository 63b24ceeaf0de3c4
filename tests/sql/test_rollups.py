"""Rollups are sums of calls, whatever happens to the calls: repetition, lateness, other prices, other tags."""

import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from spanledger_collector.prices import Override, set_override
from tests.ledger import Ledger
from tests.otlp import agent, chat

DIMENSIONS = ("team", "feature", "tenant", "user", "session", "agent", "task", "model")


def test_every_view_by_a_dimension_adds_up_to_the_same_total(ledger: Ledger, recently: float) -> None:
    tags = [
        {"spanledger.team": "a", "user.id": "u1"},
        {"spanledger.team": "b", "session.id": "s"},
        {},
        {"gen_ai.response.model": "house-7b"},
    ]
    ledger.settled(*(chat(recently + number * 1800, extra=extra) for number, extra in enumerate(tags * 3)))

    sums = "sum(c.calls) as n, sum(c.input_tokens) as i, sum(c.known_usd) as usd, sum(c.unknown_calls) as unknown"
    totals = {name: ledger.row(f"select {sums} from cost_by_{name} as c") for name in DIMENSIONS}

    assert totals["team"] == {"n": 12, "i": 12000, "usd": Decimal("0.00189"), "unknown": 3}
    assert all(total == totals["team"] for total in totals.values())


def test_both_sides_of_the_seam_are_counted_once(ledger: Ledger) -> None:
    now = time.time()
    ledger.settled(*(chat(now - minutes * 60) for minutes in (2, 30, 61, 119, 121, 179, 181, 240, 3000)))

    assert ledger.row("select sum(calls) as n from costs as c") == {"n": 9}
    assert ledger.row("select sum(calls) as n from cost_by_user as c") == {"n": 9}
    assert ledger.row("select sum(abs(calls_difference)) as n from ledger_check") == {"n": 0}


def test_repeated_and_late_delivery_changes_no_number(ledger: Ledger, recently: float) -> None:
    spans = [chat(recently + number, extra={"spanledger.team": f"t{number % 3}"}) for number in range(30)]
    ledger.settled(*spans)
    before = ledger.rows("select * from cost_by_team order by team")

    ledger.deliver(*spans[5:20])
    ledger.deliver(*spans[:10], *spans[25:])
    ledger.settled(*spans)

    assert ledger.rows("select * from cost_by_team order by team") == before


def test_a_call_that_gets_its_team_later_leaves_no_ghost_behind(ledger: Ledger, recently: float) -> None:
    whole = agent(recently, extra={"spanledger.team": "late"})
    ledger.settled(chat(recently + 1, trace=whole.trace, parent=whole.span))

    ledger.settled(whole)

    assert ledger.rows("select team, calls from cost_by_team") == [{"team": "late", "calls": 1}]


def test_another_price_prices_history_again_and_only_within_its_time(ledger: Ledger, recently: float) -> None:
    boundary = recently // 900 * 900
    ledger.settled(
        chat(boundary - 1, tokens=(100, 0)), chat(boundary, tokens=(100, 0)), chat(boundary + 60, tokens=(100, 0))
    )
    since = datetime.fromtimestamp(boundary, UTC)
    prices = {"input_usd_per_token": Decimal("0.000002"), "output_usd_per_token": Decimal("0.000004")}
    try:
        set_override(ledger.client, Override("openai", "gpt-4o-mini", prices, valid_from=since))
        ledger.settle()

        costs = [row["cost_usd"] for row in ledger.rows("select cost_usd from calls order by ts")]
        assert costs == [Decimal("0.000015"), Decimal("0.0002"), Decimal("0.0002")]
        assert ledger.row("select sum(known_usd) as usd from costs as c") == {"usd": Decimal("0.000415")}
    finally:
        set_override(ledger.client, Override("openai", "gpt-4o-mini", {}, valid_from=since))


def test_a_model_that_gets_a_price_prices_the_calls_it_already_had(ledger: Ledger, recently: float) -> None:
    ledger.settled(
        chat(
            recently, tokens=(100, 10), extra={"gen_ai.request.model": "house-9b", "gen_ai.response.model": "house-9b"}
        )
    )
    assert ledger.row("select model, calls from unpriced_models") == {"model": "house-9b", "calls": 1}

    prices = {"input_usd_per_token": Decimal("0.000001"), "output_usd_per_token": Decimal("0.000002")}
    set_override(ledger.client, Override("openai", "house-9b", prices))
    ledger.settle()

    assert ledger.rows("select * from unpriced_models") == []
    assert ledger.row("select cost_usd from cost_by_model") == {"cost_usd": Decimal("0.00012")}


def test_untagged_spend_is_named_by_what_is_missing(ledger: Ledger, recently: float) -> None:
    ledger.settled(chat(recently, extra={"spanledger.team": "a", "spanledger.feature": "f"}))

    assert ledger.rows("select service, missing, calls from untagged_spend") == [
        {"service": "app", "missing": "tenant", "calls": 1}
    ]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_views_of_the_contract_have_its_columns(ledger: Ledger, dimension: str) -> None:
    columns = [row["name"] for row in ledger.rows(f"describe cost_by_{dimension}")]

    assert columns == [
        "hour",
        dimension,
        "calls",
        "input_tokens",
        "output_tokens",
        "known_usd",
        "cost_usd",
        "unknown_calls",
        "unknown_tokens",
    ]
