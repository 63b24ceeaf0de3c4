"""The comparison of the vendor's bill with the ledger, on rows made by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanledger_collector.demo.bill import BillEntry
from spanledger_collector.demo.meters import Meters
from spanledger_collector.demo.proof import LedgerRow, Proof, Side, compare

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKENS = (120, 0, 0, 0, 30, 0)
CENT = Decimal("0.01")


def entry(
    *, key: str = "sk-demo-search", model: str = "gpt-x", usd: str | None = "0.01", told: bool = True
) -> BillEntry:
    amount = None if usd is None else Decimal(usd)
    return BillEntry(NOON, key, "openai", model, model, "r1", "default", Meters(), amount, told)


def row(state: str = "priced", *, calls: int = 1, usd: str | None = "0.01", team: str = "search") -> LedgerRow:
    a, b, c, d, e, f = (count * calls for count in TOKENS)
    return LedgerRow(team, "gpt-x", state, calls, (a, b, c, d, e, f), None if usd is None else Decimal(usd))


def proof(bill: list[BillEntry], rows: list[LedgerRow], *, rollup: str = "0.01") -> Proof:
    return compare(bill, rows, calls_usd=CENT, rollup_usd=Decimal(rollup))


def test_equal_sides_are_proven() -> None:
    assert proof([entry()], [row()]).equal


def test_amounts_compare_by_value_whatever_their_number_of_zeros() -> None:
    assert proof([entry(usd="0.01")], [row(usd="0.010000000000000000000000")]).equal


def test_the_last_digit_counts() -> None:
    assert not proof([entry()], [row(usd="0.010000000000000000000001")]).equal


@pytest.mark.parametrize(
    "rows", [[], [row(calls=2)], [row(usd=None)], [row("unpriced_model", usd=None)], [row("no_usage")]]
)
def test_a_ledger_that_says_otherwise_is_not_proven(rows: list[LedgerRow]) -> None:
    assert not proof([entry()], rows).equal


def test_a_call_booked_to_another_team_is_not_proven() -> None:
    assert not proof([entry()], [row(team="support")]).equal


def test_a_call_that_the_vendor_never_billed_is_not_proven() -> None:
    assert not proof([], [row()]).equal


def test_nothing_at_all_proves_nothing() -> None:
    assert not proof([], []).equal


def test_a_rollup_that_does_not_add_up_is_not_proven() -> None:
    assert not proof([entry()], [row()], rollup="0.02").equal


def test_the_shared_key_is_the_ledgers_untagged_spend() -> None:
    assert proof([entry(key="sk-demo-shared")], [row(team="")]).equal


@pytest.mark.parametrize("state", ["no_usage", "failed_maybe_billed", "estimated"])
def test_a_call_whose_usage_was_never_told_is_unknown_in_the_ledger(state: str) -> None:
    result = proof([entry(), entry(told=False)], [row(), row(state, usd=None)])

    assert result.equal
    assert result.untold_usd == CENT
    assert result.total.vendor == Side(1, TOKENS, CENT, untold_calls=1)


def test_a_refused_call_is_on_neither_side() -> None:
    assert proof([entry()], [row(), row("failed_not_billed", usd="0")]).equal


def test_a_model_without_a_price_is_unknown_on_both_sides_and_left_out_of_the_total() -> None:
    result = proof(
        [entry(), entry(key="sk-demo-labs", usd=None)], [row(), row("unpriced_model", usd=None, team="labs")]
    )

    assert result.equal
    assert result.lines[0].vendor.amount_usd is None
    assert result.total.vendor.amount_usd == CENT
    assert result.total.vendor.calls == 2


sides = st.builds(
    Side,
    calls=st.integers(0, 99),
    amount_usd=st.none() | st.decimals(0, 99, places=12),
    untold_calls=st.integers(0, 9),
)


@given(sides, sides, sides)
def test_sides_add_up_in_any_order(a: Side, b: Side, c: Side) -> None:
    assert (a + b) + c == c + (b + a)
    assert a + Side() == a
