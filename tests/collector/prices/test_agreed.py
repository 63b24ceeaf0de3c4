"""Contracts, assignments and currencies: what cannot be right is refused with what to do, before anything is drafted."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices import (
    Assignment,
    CurrencyRate,
    Term,
    checked_assignment,
    checked_currency_rate,
    checked_term,
)

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
BETWEEN = NEW_YEAR + timedelta(minutes=7)
INDIA = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize("end", [BETWEEN, NEW_YEAR.replace(tzinfo=None)])
def test_a_time_at_which_no_price_can_change_is_refused_for_what_was_agreed(end: datetime) -> None:
    said = "quarter of an hour|no time zone"

    with pytest.raises(PriceError, match=said):
        checked_term(Term("acme", Decimal(20), valid_from=end))
    with pytest.raises(PriceError, match=said):
        checked_term(Term("acme", Decimal(20), valid_to=end))
    with pytest.raises(PriceError, match=said):
        checked_assignment(Assignment("acme", tenant="a", valid_to=end), [])
    with pytest.raises(PriceError, match=said):
        checked_currency_rate(CurrencyRate("EUR", end, Decimal("1.1")))


def test_times_of_other_zones_are_kept_in_utc() -> None:
    there = datetime(2026, 1, 1, 5, 30, tzinfo=INDIA)

    assert checked_term(Term("acme", Decimal(20), valid_from=there)).valid_from.utcoffset() == timedelta(0)
    assert checked_assignment(Assignment("acme", tenant="a", valid_from=there), []).valid_from == NEW_YEAR
    assert checked_currency_rate(CurrencyRate("EUR", there, Decimal("1.1"))).valid_from == NEW_YEAR


@pytest.mark.parametrize("usd", ["0", "-1", "NaN", "Infinity", "1e9", "10000.01"])
def test_what_no_currency_is_worth_is_refused(usd: str) -> None:
    with pytest.raises(PriceError, match="is no value of a currency"):
        checked_currency_rate(CurrencyRate("EUR", NEW_YEAR, Decimal(usd)))


@pytest.mark.parametrize("usd", ["0.00001", "1.1", "10000"])
def test_what_a_currency_may_be_worth_passes(usd: str) -> None:
    assert checked_currency_rate(CurrencyRate("EUR", NEW_YEAR, Decimal(usd))).usd == Decimal(usd)


@pytest.mark.parametrize("percent", ["100.01", "-1000.01", "NaN", "Infinity"])
def test_what_is_no_discount_is_refused(percent: str) -> None:
    with pytest.raises(PriceError, match="is no discount"):
        checked_term(Term("acme", Decimal(percent)))
