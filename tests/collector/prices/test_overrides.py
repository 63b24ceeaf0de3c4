"""Prices that cannot be right are refused with a sentence that says why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.meters import METERS, Prices
from spanledger_collector.prices.overrides import Override, checked
from spanledger_collector.prices.segments import END, START, Candidate, Key, Segment

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
LIST = [
    Segment(Key("", "p", "m", ""), START, END, (Candidate(0, 0, 1440, Prices(*[Decimal("0.000002")] * len(METERS))),))
]
GOOD = Override("p", "m", {"input_usd_per_token": Decimal("0.000001")}, NEW_YEAR)


def refused(override: Override, message: str, *, force: bool = False, listed: list[Segment] = LIST) -> None:
    with pytest.raises(PriceError, match=message):
        checked(override, listed, force=force)


def priced(**prices: Any) -> Override:
    return replace(GOOD, prices=prices)


def test_a_good_override_passes_as_it_is() -> None:
    assert checked(GOOD, LIST) == GOOD


def test_a_negative_price_is_refused_even_by_force() -> None:
    refused(
        priced(input_usd_per_token=Decimal("-0.000001")), "is -0.000001. A price is a number of at least 0", force=True
    )


@pytest.mark.parametrize("price", ["NaN", "Infinity"])
def test_a_price_that_is_no_number_is_refused(price: str) -> None:
    refused(priced(input_usd_per_token=Decimal(price)), "A price is a number of at least 0")


@pytest.mark.parametrize("price", [0.000001, 1, "0.1", True])
def test_only_decimal_is_money(price: object) -> None:
    refused(
        priced(input_usd_per_token=price), f"is the {type(price).__name__} .*Money is exact: give a Decimal", force=True
    )


def test_a_price_above_a_dollar_a_token_is_refused_with_a_question() -> None:
    refused(priced(input_usd_per_token=Decimal("1.25")), "more than a dollar .* per million tokens")


def test_a_price_above_a_dollar_a_token_passes_by_force() -> None:
    assert checked(priced(input_usd_per_token=Decimal("1.25")), LIST, force=True)


def test_a_fee_above_a_dollar_passes_because_it_is_not_for_a_token() -> None:
    both = {"input_usd_per_token": Decimal(0), "output_usd_per_token": Decimal(0)}

    assert checked(priced(**both, request_usd=Decimal(2)), [])


@pytest.mark.parametrize("price", ["0.002", "0.000000002"])
def test_a_price_a_thousand_times_off_the_list_is_refused(price: str) -> None:
    refused(priced(input_usd_per_token=Decimal(price)), "the list says 0.000002: a thousand times off")


@pytest.mark.parametrize("price", ["0.001999", "0.000000002001"])
def test_a_price_just_within_a_thousand_times_the_list_passes(price: str) -> None:
    assert checked(priced(input_usd_per_token=Decimal(price)), LIST)


def test_a_price_of_zero_passes() -> None:
    assert checked(priced(input_usd_per_token=Decimal(0)), LIST)


def test_a_price_a_thousand_times_off_passes_by_force() -> None:
    assert checked(priced(input_usd_per_token=Decimal("0.002")), LIST, force=True)


def test_an_unknown_meter_is_refused_and_the_known_ones_named() -> None:
    refused(priced(input_mtok=Decimal(1)), "no meter 'input_mtok'. The meters are: input_usd_per_token, ", force=True)


@pytest.mark.parametrize("minute", [1, 14, 59])
def test_a_time_between_quarters_of_an_hour_is_refused(minute: int) -> None:
    refused(replace(GOOD, valid_from=NEW_YEAR.replace(minute=minute)), "is not on a quarter of an hour", force=True)
    refused(
        replace(GOOD, valid_to=NEW_YEAR.replace(day=2, minute=minute)), "is not on a quarter of an hour", force=True
    )


@pytest.mark.parametrize("minute", [0, 15, 30, 45])
def test_a_time_on_a_quarter_of_an_hour_passes(minute: int) -> None:
    assert checked(replace(GOOD, valid_from=NEW_YEAR.replace(minute=minute)), LIST)


@pytest.mark.parametrize("valid_to", [NEW_YEAR, NEW_YEAR - timedelta(hours=1)])
def test_an_end_that_is_not_after_the_start_is_refused(valid_to: datetime) -> None:
    refused(replace(GOOD, valid_to=valid_to), "which is no time at all", force=True)


def test_an_end_a_quarter_of_an_hour_after_the_start_passes() -> None:
    assert checked(replace(GOOD, valid_to=NEW_YEAR + timedelta(minutes=15)), LIST)


def test_a_time_without_a_zone_is_refused() -> None:
    refused(replace(GOOD, valid_from=datetime(2026, 1, 1)), "has no time zone")  # noqa: DTZ001 - the case


def test_a_time_of_another_zone_is_kept_in_utc() -> None:
    india = timezone(timedelta(hours=5, minutes=30))

    assert checked(replace(GOOD, valid_from=datetime(2026, 1, 1, 5, 30, tzinfo=india)), LIST).valid_from == NEW_YEAR


def test_a_model_that_the_list_does_not_have_needs_its_two_root_prices() -> None:
    refused(GOOD, "no list price at that time, so its price must say output_usd_per_token", listed=[])


def test_a_model_that_the_list_does_not_have_passes_with_both() -> None:
    assert checked(priced(input_usd_per_token=Decimal(0), output_usd_per_token=Decimal("0.1")), [])


def test_no_prices_at_all_withdraw_an_override() -> None:
    assert checked(priced(), []).prices == {}


def test_a_price_without_a_model_is_refused() -> None:
    refused(replace(GOOD, model=""), "needs a provider and a model", force=True)
