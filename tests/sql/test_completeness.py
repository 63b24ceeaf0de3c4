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


@pytest.mark.parametrize(
    ("span", "state", "low", "high"),
    [
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
    ],
)  # fmt: skip
def test_what_is_not_known_lies_between_bounds(
    ledger: Ledger, recently: float, span: dict[str, Any], state: str, low: Decimal | None, high: Decimal | None
) -> None:
    call = only(ledger.settled(chat(recently, **span)))
    hour = ledger.row("select * from completeness")

    assert (call["completeness"], call["estimate_low_usd"], call["estimate_high_usd"]) == (state, low, high)
    assert (call["cost_usd"] is None) == (state != "priced")
    assert (hour["completeness"], hour["estimate_low_usd"]) == (state, low or 0)
    assert hour["estimate_high_usd"] == (high if state != "priced" else 0)
    assert hour["known_usd"] == (call["cost_usd"] or 0)
