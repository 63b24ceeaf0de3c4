"""An incident began with the first ten minutes that are out of line, not with the window of the rule that found it."""

from datetime import timedelta
from typing import Any

import pytest

from spanledger_collector.anomalies import detect
from tests.collector.anomalies.history import NOW, cell, history
from tests.ledger import Ledger

BUCKET = NOW.replace(second=0, microsecond=0, minute=NOW.minute // 10 * 10)
PROMPT = {"measured_calls": 20, "system_chars": 20 * 400}


@pytest.mark.parametrize(
    ("rule", "usual", "unusual"),
    [
        ("spike", {}, {"calls": 800}),
        ("price", {}, {"price": 20}),
        ("tokens_6h", {}, {"size": 60_000}),
        ("cache", {"size": 20_000}, {"size": 20_000, "cached": 0}),
        ("repeats", {"repeated_calls": 1}, {"calls": 60, "repeated_calls": 60}),
        ("session", {"session_calls_max": 4}, {"session_calls_max": 300}),
        ("retries", {}, {"calls": 60, "attempts": 600}),
        ("huge_call", {}, {"largest_usd": 3}),
        ("prompt", {**PROMPT, "system_fingerprint": 7, "system_fingerprint_calls": 20},
         {"size": 3150, "measured_calls": 20, "system_chars": 20 * 9000, "system_fingerprint": 8, "system_fingerprint_calls": 20}),
    ],
)  # fmt: skip
def test_it_is_as_old_as_the_first_ten_minutes_that_are_out_of_line(
    ledger: Ledger, rule: str, usual: dict[str, Any], unusual: dict[str, Any]
) -> None:
    # Before it there were stray ten minutes.
    began = {"cache": 12, "tokens_6h": 12, "prompt": 4}.get(rule, 2)
    stray = {"calls": 40} if "calls" not in usual else {}
    history(ledger, lambda ago: cell(**(unusual if ago < began else {**usual, **stray} if ago == began + 2 else usual)))

    detect(ledger.database, NOW)

    since = {
        row["rule"]: row["started_at"]
        for row in ledger.rows("select i.rule as rule, i.started_at as started_at from anomalies as i")
    }
    assert since[rule] == (BUCKET - timedelta(minutes=10 * (began - 1))).replace(tzinfo=None)
