"""The report, on facts made by hand."""

import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from spanledger_collector.demo.ledger import Spend
from spanledger_collector.demo.proof import LedgerRow, Proof, ProofLine, Side
from spanledger_collector.demo.report import money, print_report
from spanledger_collector.demo.result import DemoResult, result_json

TOKENS = (120, 20, 0, 0, 30, 10)
SIDE = Side(3, TOKENS, Decimal("0.123456789012345678"), untold_calls=2)


def result(*, ledger: Side = SIDE, ledger_option: str = "--store /var/demo") -> DemoResult:
    lines = (
        ProofLine("search", "gpt-x", SIDE, ledger),
        ProofLine("labs", "acme-7b", Side(1, TOKENS, None), Side(1, TOKENS, None)),
    )
    spend = [
        Spend("team", "search", 5, 600, 150, Decimal("0.1234567"), 2),
        Spend("team", "labs", 1, 120, 30, Decimal(0), 1),
        Spend("team", "support", 1, 120, 30, Decimal("12.346"), 0),
        Spend("team", "", 1, 120, 30, Decimal("0.00000001"), 0),
    ]
    rows = [
        LedgerRow("search", "gpt-x", "priced", 3, TOKENS, Decimal("0.1")),
        LedgerRow("search", "gpt-x", "no_usage", 2, TOKENS, None),
    ]
    return DemoResult(
        calls=8,
        seed=1,
        seconds=1.5,
        errors={"RateLimitError": 1},
        spend=spend,
        rows=rows,
        verdicts={"bills": 6, "duplicate": 2},
        proof=Proof(lines, Decimal("0.004"), Decimal("0.2"), Decimal("0.20")),
        ledger_option=ledger_option,
    )


def printed(facts: DemoResult, *, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_report(console, facts)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def cells(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f" {name} "))
    return re.split(r"\s{2,}", line.strip())


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "unknown"),
        (Decimal(0), "$0"),
        (Decimal("1234.5"), "$1,234.50"),
        (Decimal("0.12346"), "$0.1235"),
        (Decimal("0.00001"), "less than $0.0001"),
    ],
)
def test_money_is_shown_sensibly(amount: Decimal | None, text: str) -> None:
    assert money(amount) == text


def test_unknown_cost_is_never_shown_as_zero() -> None:
    text = printed(result())

    assert cells(text, "labs")[1] == "unknown"
    assert cells(text, "support")[1] == "$12.35"
    assert cells(text, "(untagged)")[1] == "less than $0.0001"
    assert "at least $0.1234" in text  # a lower bound is never rounded up


def test_a_proof_shows_every_digit_and_the_verdict() -> None:
    text = printed(result())

    assert text.count("$0.123456789012345678") == 5
    assert "PROVEN: vendor and ledger agree to the last digit" in text
    assert "Billed, but never told to any client: 2 calls, $0.004" in text
    assert "no list price" in text


def test_calls_of_earlier_runs_in_the_same_ledger_are_mentioned() -> None:
    earlier = replace(result(), calls=5)

    assert "also hold 3 calls that were in this ledger before" in printed(earlier)
    assert "in this ledger before" not in printed(result())


def test_a_narrow_terminal_cuts_no_digit() -> None:
    text = printed(result(), width=80)

    assert text.count("$0.123456789012345678") == 5
    assert "…" not in text


def test_a_failed_proof_says_which_lines_differ() -> None:
    text = printed(result(ledger=Side(2, TOKENS, Decimal("0.1"), untold_calls=3)))

    assert "NOT PROVEN: 1 of 2 lines differ" in text
    assert "3 / 2" in text
    assert "NO" in text


def test_a_kept_store_is_named_in_what_to_try_next() -> None:
    assert "spanledger cost --by team,model --store /var/demo" in printed(result())


def test_a_ledger_that_is_gone_is_not_offered() -> None:
    text = printed(result(ledger_option=""))

    assert "/var/demo" not in text
    assert "spanledger demo --store spanledger-demo" in text


def test_the_json_form_has_all_digits_as_strings_and_unknown_as_null() -> None:
    document: dict[str, Any] = json.loads(json.dumps(result_json(result())))

    teams = {team["name"]: team for team in document["spend"]["team"]}
    assert document["proof"]["equal"] is True
    assert document["proof"]["vendor_usd"] == document["proof"]["ledger_usd"] == "0.123456789012345678"
    assert document["proof"]["untold"] == {"vendor_calls": 2, "ledger_calls": 2, "vendor_usd": "0.004"}
    assert document["proof"]["lines"][1]["ledger"]["usd"] is None
    assert (teams["labs"]["known_usd"], teams["labs"]["cost_usd"]) == ("0", None)
    assert document["completeness"] == {"priced": 3, "no_usage": 2}
