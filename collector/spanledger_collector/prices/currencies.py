"""Prices that were agreed in other currencies: converted when a book is compiled, at the value of each time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.overrides import Override
from spanledger_collector.prices.segments import END, START, on_quarter_hour

__all__ = ["CurrencyRate", "checked_currency_rate", "in_usd", "values_at"]

_WORTH_MAX_USD: Final = Decimal(10_000)  # nothing with a code is worth that: a number in another unit


@dataclass(frozen=True)
class CurrencyRate:
    """What one unit of a currency is worth in USD, until the next rate."""

    currency: str
    valid_from: datetime
    usd: Decimal
    note: str = ""
    created_by: str = ""
    created_at: datetime = START


def checked_currency_rate(rate: CurrencyRate) -> CurrencyRate:
    """Return the rate; PriceError when it cannot be right."""
    if len(rate.currency) != 3 or not rate.currency.isascii() or not rate.currency.isupper() or rate.currency == "USD":
        raise PriceError(f"{rate.currency!r} is no currency to convert: give an ISO 4217 code such as EUR.")
    if not rate.usd.is_finite() or not 0 < rate.usd <= _WORTH_MAX_USD:
        raise PriceError(
            f"{rate.currency}: {rate.usd} USD is no value of a currency; give what one unit is worth, "
            f"above 0 and at most {_WORTH_MAX_USD:,}."
        )
    return replace(rate, valid_from=on_quarter_hour(rate.currency, rate.valid_from))


def values_at(rates: Iterable[CurrencyRate], currency: str) -> dict[datetime, Decimal]:
    """Return the values of a currency by their first moment, in order; of those for one moment the newest."""
    own = sorted((one for one in rates if one.currency == currency), key=lambda one: (one.valid_from, one.created_at))
    return {one.valid_from: one.usd for one in own}


def in_usd(overrides: Iterable[Override], rates: Sequence[CurrencyRate]) -> Iterator[Override]:
    """Yield the overrides in USD: one that was agreed in another currency becomes one for each value of it.

    PriceError where a price is valid at a time of which no value is known.
    """
    for one in overrides:
        if one.currency == "USD" or not one.prices:
            yield one
            continue
        values = values_at(rates, one.currency)
        starts = [*values, END]
        if not values or one.valid_from < starts[0]:
            since = f"from {one.valid_from:%Y-%m-%d}" if one.valid_from > START else "of all times"
            raise PriceError(
                f"{one.provider}/{one.model}: what a {one.currency} is worth {since} is not known. "
                f"Set it first: spanledger prices rate {one.currency} DATE USD."
            )
        for start, end in pairwise(starts):
            if one.valid_from < end and start < one.valid_to:
                prices = {meter: price * values[start] for meter, price in one.prices.items()}
                yield replace(
                    one,
                    prices=prices,
                    currency="USD",
                    valid_from=max(start, one.valid_from),
                    valid_to=min(end, one.valid_to),
                )
