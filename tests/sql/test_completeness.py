"""Every call's money is known, bounded or honestly unbounded: known <= truth <= upper bound."""

from decimal import Decimal
from typing import Any

import pytest

from tests.ledger import Ledger, only
from tests.otlp import chat

# gpt-4o-mini, USD per token
INPUT, CACHED, OUTPUT = Decimal("0.00000015"), Decimal("0.000000075"), Decimal("0.0000006")
SIZES = {"spanledger.prompt.system.chars": 2000, "spanledger.prompt.user.chars": 1000, "gen_ai.request.max_tokens": 500}
STREAM = {"gen_ai.request.stream": True}
TIMEOUT = {"tokens": None, "error": True}
PER_ATTEMPT = 1564 * INPUT + 500 * OUTPUT


# claude-sonnet-4-5, USD per token: input, written to the cache for 5 minutes and for an hour, output
SONNET_INPUT, WRITE_5M, WRITE_1H, SONNET_OUTPUT = (
    Decimal("0.000003"),
    Decimal("0.00000375"),
    Decimal("0.000006"),
    Decimal("0.000015"),
)
WRITTEN = {
    "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5", "gen_ai.response.model": "claude-sonnet-4-5",
    "gen_ai.usage.cache_write.input_tokens": 400,
}  # fmt: skip
HOUR, TTLS = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens", "spanledger.cache_write.ttls"
UNWRITTEN = 600 * SONNET_INPUT + 100 * SONNET_OUTPUT


# What a cache write of 400 tokens costs by what is told of its lifetime: cost, or else its bounds.
LIFETIMES: list[tuple[dict[str, Any], Decimal | None, Decimal | None, Decimal | None]] = [
    ({}, UNWRITTEN + 400 * WRITE_5M, None, None),
    ({TTLS: "5m"}, UNWRITTEN + 400 * WRITE_5M, None, None),
    ({TTLS: "1h"}, UNWRITTEN + 400 * WRITE_1H, None, None),
    ({TTLS: "5m,1h"}, None, UNWRITTEN + 400 * WRITE_5M, UNWRITTEN + 400 * WRITE_1H),
    ({TTLS: "5m,1h", HOUR: 0}, UNWRITTEN + 400 * WRITE_5M, None, None),
    ({TTLS: "5m,1h", HOUR: 100}, UNWRITTEN + 300 * WRITE_5M + 100 * WRITE_1H, None, None),
]


def by_hour(
    ledger: Ledger, recently: float, calls: list[dict[str, Any]]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Book calls, one in each hour back from ``recently``, and return each with the row of its hour."""
    booked = ledger.settled(*(chat(recently - 3600 * hour, **call) for hour, call in enumerate(calls)))
    hours = ledger.rows("select * from completeness order by hour")
    assert len(booked) == len(hours) == len(calls)
    return list(zip(reversed(booked), reversed(hours), strict=True))


def test_the_lifetime_of_cache_writes_is_told_or_asked_for_or_bounds_the_cost(ledger: Ledger, recently: float) -> None:
    found = by_hour(ledger, recently, [{"extra": WRITTEN | extra} for extra, *_ in LIFETIMES])

    for (extra, cost, low, high), (call, hour) in zip(LIFETIMES, found, strict=True):
        of_hour = hour["known_usd"], hour["estimate_low_usd"], hour["estimate_high_usd"]
        assert (call["cost_usd"], call["estimate_low_usd"], call["estimate_high_usd"]) == (cost, low, high), extra
        assert of_hour == (cost or 0, low or 0, high or 0), extra
        assert hour["completeness"] == call["completeness"] == ("priced" if cost is not None else "estimated"), extra


def test_a_witness_that_knows_the_lifetime_of_cache_writes_makes_their_cost_exact(
    ledger: Ledger, recently: float
) -> None:
    response = {"gen_ai.response.id": "msg_" + "0123456789abcdef" * 2}
    calls = ledger.settled(
        chat(recently, extra=WRITTEN | response | {TTLS: "5m,1h", "spanledger.team": "core"}),
        chat(recently, extra=WRITTEN | response | {HOUR: 100}, scope="com.anthropic.sdk.python"),
    )

    assert only(calls)["cost_usd"] == UNWRITTEN + 300 * WRITE_5M + 100 * WRITE_1H
    assert calls[0]["team"] == "core"


# What a call says, the state of its cost, and the bounds of a cost that is not known.
UNKNOWNS: list[tuple[dict[str, Any], str, Decimal | None, Decimal | None]] = [
    ({"tokens": (10, 1)}, "priced", None, None),
    ({"tokens": None, "extra": STREAM}, "no_usage", Decimal(0), None),
    ({"tokens": None, "extra": STREAM | SIZES}, "no_usage", 500 * CACHED, PER_ATTEMPT),
    ({"tokens": None, "extra": STREAM | SIZES | {"gen_ai.request.max_tokens": None}}, "no_usage", 500 * CACHED, None),
    ({**TIMEOUT, "extra": SIZES | {"error.type": "openai.APITimeoutError"}}, "failed_maybe_billed", Decimal(0), PER_ATTEMPT),
    (
        {**TIMEOUT, "extra": SIZES | {"error.type": "openai.APITimeoutError", "spanledger.attempts": 3}},
        "failed_maybe_billed", Decimal(0), 3 * PER_ATTEMPT,
    ),
    ({"tokens": (100, 10), "error": True, "extra": SIZES}, "estimated", 100 * INPUT + 10 * OUTPUT, 100 * INPUT + 500 * OUTPUT),
    ({"tokens": (100, 10), "error": True}, "estimated", 100 * INPUT + 10 * OUTPUT, None),
    ({"tokens": None, "extra": SIZES | {"spanledger.prompt.user.chars": 10**8}}, "no_usage", 16_667_000 * CACHED, None),
    (
        {"tokens": None, "extra": SIZES | {"gen_ai.request.model": "house-7b", "gen_ai.response.model": None}},
        "no_usage", Decimal(0), None,
    ),
]  # fmt: skip


def test_what_is_not_known_lies_between_bounds(ledger: Ledger, recently: float) -> None:
    found = by_hour(ledger, recently, [span for span, *_ in UNKNOWNS])

    for (span, state, low, high), (call, hour) in zip(UNKNOWNS, found, strict=True):
        assert (call["completeness"], call["estimate_low_usd"], call["estimate_high_usd"]) == (state, low, high), span
        assert (call["cost_usd"] is None) == (state != "priced"), span
        assert (hour["completeness"], hour["estimate_low_usd"]) == (state, low or 0), span
        assert hour["estimate_high_usd"] == (high if state != "priced" else 0), span
        assert hour["known_usd"] == (call["cost_usd"] or 0), span


STANDARD = 1000 * INPUT + 100 * OUTPUT


@pytest.mark.parametrize(
    ("extra", "low", "high"),
    [
        ({"gen_ai.openai.response.service_tier": "flex"}, Decimal(0), STANDARD),
        ({"anthropic.usage.speed": "fast"}, STANDARD, None),
        ({"gen_ai.openai.response.service_tier": "scale"}, Decimal(0), None),
        ({"gen_ai.openai.response.service_tier": "flex", "tokens": None} | SIZES | STREAM, Decimal(0), PER_ATTEMPT),
        ({"gen_ai.openai.response.service_tier": "scale", "tokens": None} | SIZES | STREAM, Decimal(0), None),
    ],
)
def test_a_tier_without_a_price_of_its_own_is_bounded_by_the_standard_price_on_one_side_at_most(
    ledger: Ledger, recently: float, extra: dict[str, Any], low: Decimal, high: Decimal | None
) -> None:
    tokens = extra.pop("tokens", (1000, 100))
    call = only(ledger.settled(chat(recently, tokens=tokens, extra=extra)))
    hour = ledger.row("select * from completeness")

    assert call["completeness"] == hour["completeness"] != "priced"
    assert (call["cost_usd"], call["estimate_low_usd"], call["estimate_high_usd"]) == (None, low, high)
    assert (hour["known_usd"], hour["estimate_low_usd"], hour["estimate_high_usd"]) == (0, low, high)


def test_shares_of_calls_tokens_and_money_lie_between_what_the_states_cost_at_least_and_at_most(
    ledger: Ledger, recently: float
) -> None:
    house = {"gen_ai.request.model": "house-7b", "gen_ai.response.model": "house-7b"}
    flex = {"gen_ai.openai.response.service_tier": "flex"}
    names = "select completeness, calls_share, tokens_share, usd_share_low, usd_share_high from {}"
    ledger.settled(chat(recently), chat(recently + 1), chat(recently + 2, extra=flex))
    bounded = {row.pop("completeness"): tuple(row.values()) for row in ledger.rows(names.format("completeness"))}
    ledger.settled(chat(recently + 3, extra=house))
    unbounded = {
        row.pop("completeness"): tuple(row.values()) for row in ledger.rows(names.format("completeness_by_month"))
    }

    third = pytest.approx(1 / 3)
    assert bounded == {"priced": (2 / 3, 2 / 3, 2 / 3, 1), "estimated": (third, third, 0, third)}
    assert unbounded == {
        "priced": (0.5, 0.5, 0, 1), "estimated": (0.25, 0.25, 0, third), "unpriced_model": (0.25, 0.25, 0, 1),
    }  # fmt: skip
    assert ledger.row("select model, calls_share, tokens_share from unpriced_models") == {
        "model": "house-7b", "calls_share": 0.25, "tokens_share": 0.25,
    }  # fmt: skip


def test_attempts_besides_the_last_are_counted_and_in_no_sum(ledger: Ledger, recently: float) -> None:
    ledger.settled(chat(recently, extra={"spanledger.attempts": 3}), chat(recently + 1))

    shown = ledger.row("select calls, silent_attempts, known_usd, completeness from completeness")
    assert shown == {"calls": 2, "silent_attempts": 2, "known_usd": Decimal("0.00042"), "completeness": "priced"}


def test_an_emitters_own_cost_is_compared_and_never_summed(ledger: Ledger, recently: float) -> None:
    cached = {"gen_ai.usage.cache_read.input_tokens": 800}
    house = {"gen_ai.request.model": "house-7b", "gen_ai.response.model": "house-7b"}
    reported: list[tuple[str, dict[str, Any]]] = [
        ("0.00021", {}), ("0.0002101", {}), ("0.00021", cached), ("0", {}), ("1100", {}), ("0.00063", {}), ("0.0003", {}),
        ("0.5", house),
    ]  # fmt: skip
    ledger.settled(
        *(
            chat(recently + at, extra={"spanledger.cost_usd": cost, **extra})
            for at, (cost, extra) in enumerate(reported)
        )
    )

    causes = {row["likely_cause"]: row for row in ledger.rows("select * from cost_disagreements")}
    assert {
        cause: row["difference_usd"]
        for cause, row in causes.items()
        if cause != "a count of tokens where an amount belongs"
    } == {
        "cached tokens at the full price": Decimal("0.00006"),
        "the emitter does not know the price": Decimal("-0.00021"),
        "the sum of several calls, or one counted several times": Decimal("0.00042"),
        "another price": Decimal("0.00009"),
        "the price book does not know the model": None,
    }
    assert ledger.row("select sum(known_usd) as usd from costs as c") == {
        "usd": 6 * Decimal("0.00021") + Decimal("0.00015")
    }
