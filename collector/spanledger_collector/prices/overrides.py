"""Prices that the owner sets: what they look like, and which ones are refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.meters import FEES, METERS, PARENTS, Prices, rounded
from spanledger_collector.prices.segments import END, START, Segment, on_quarter_hour

__all__ = ["Override", "applied", "check_dearest", "checked"]

_DOLLAR: Final = Decimal(1)
_FAR_OFF: Final = 1000
_DEAR: Final = 10
_ROOTS: Final = ("input_usd_per_token", "output_usd_per_token")
_ZERO: Final = Prices(*[Decimal(0)] * len(METERS))


@dataclass(frozen=True)
class Override:
    """A price of one model in one context, valid from ``valid_from`` until before ``valid_to``.

    ``prices`` maps meters (columns of ``rates``) to USD. A meter that is absent follows its parent (reasoning: output;
    cached: input) if that is given and the list has one price for both; else the list's price stands. No prices at all
    withdraw an override: the list price again. Prices in another ``currency`` are converted when a book is compiled.
    """

    provider: str
    model: str
    prices: Mapping[str, Decimal]
    valid_from: datetime = START
    valid_to: datetime = END
    contract: str = ""
    context: str = ""
    note: str = ""
    created_by: str = ""
    created_at: datetime = START
    currency: str = "USD"

    def covers(self, at: datetime) -> bool:
        """Tell whether it is valid at a time."""
        return self.valid_from <= at < self.valid_to


def applied(override: Override, listed: Prices = _ZERO) -> Prices:
    """Return the full price vector: given prices, then what follows from them, then the list's."""
    found: dict[str, Decimal] = {}
    given = {meter: rounded(price) for meter, price in override.prices.items()}
    follows = set(given)
    for meter in METERS:  # a parent stands before its children
        parent = PARENTS.get(meter)
        if meter in given:
            found[meter] = given[meter]
        elif parent in follows and getattr(listed, meter) == getattr(listed, str(parent)):
            found[meter] = found[str(parent)]
            follows.add(meter)
        else:
            found[meter] = getattr(listed, meter)
    return Prices(**found)


def checked(override: Override, standing: Iterable[Segment], *, force: bool = False) -> Override:
    """Return the override in UTC and rounded to what the ledger holds; raise PriceError when it cannot be right.

    ``standing`` are the model's list segments, those in that context first. ``force`` admits unlikely prices, not
    impossible ones.
    """
    who = f"{override.provider}/{override.model}"
    if not override.provider or not override.model:
        raise PriceError(f"A price needs a provider and a model, not {who!r}.")
    valid_from, valid_to = (on_quarter_hour(who, at) for at in (override.valid_from, override.valid_to))
    if not START <= valid_from < valid_to <= END:
        raise PriceError(
            f"{who}: the price would be valid from {valid_from:%Y-%m-%d %H:%M} until before {valid_to:%Y-%m-%d %H:%M}, "
            f"which is no time at all or outside {START:%Y} to {END:%Y}. Give a later end, or none."
        )
    for meter, price in override.prices.items():
        _check_price(who, meter, price, force=force)
    listed = next((one.candidates[0].prices for one in standing if one.valid_from <= valid_from < one.valid_to), None)
    if listed is None and override.prices:
        _check_complete(who, override)
    elif listed and not force:
        _check_scale(who, override, listed)
    prices = {meter: rounded(price) for meter, price in override.prices.items()}
    return replace(override, prices=prices, valid_from=valid_from, valid_to=valid_to)


def check_dearest(override: Override, listed: Iterable[Segment]) -> None:
    """Refuse a checked price of a model that the list does not have, ten times the dearest of any; PriceError says of which meter."""
    vectors = [candidate.prices for one in listed for candidate in one.candidates]
    for meter, price in override.prices.items():
        dearest = max((getattr(one, meter) for one in vectors), default=Decimal(0))
        if dearest and price > _DEAR * dearest:
            raise PriceError(
                f"{override.provider}/{override.model}: {meter} is {price:f}, and the dearest in the list is {dearest.normalize():f}. "
                "Was it meant in another unit? Correct it, or force it."
            )


def _check_price(who: str, meter: str, price: object, *, force: bool) -> None:
    if meter not in METERS:
        raise PriceError(f"{who}: there is no meter {meter!r}. The meters are: {', '.join(METERS)}.")
    if not isinstance(price, Decimal):
        raise PriceError(f"{who}: {meter} is the {type(price).__name__} {price!r}. Money is exact: give a Decimal.")
    if not price.is_finite() or price < 0:
        raise PriceError(f"{who}: {meter} is {price}. A price is a number of at least 0.")
    if price > _DOLLAR and meter not in FEES and not force:
        raise PriceError(
            f"{who}: {meter} is {price}, more than a dollar for a single token. "
            "Was it meant per million tokens? Divide by 1,000,000, or force it."
        )


def _check_complete(who: str, override: Override) -> None:
    missing = [meter for meter in _ROOTS if meter not in override.prices]
    if missing:
        raise PriceError(
            f"{who} has no list price at that time, so its price must say {' and '.join(missing)}. "
            "Write 0 for what is free."
        )


def _check_scale(who: str, override: Override, listed: Prices) -> None:
    for meter, price in override.prices.items():
        known = getattr(listed, meter)
        if price and known and not 1 < _FAR_OFF * price / known < _FAR_OFF**2:
            raise PriceError(
                f"{who}: {meter} is {price:f}, but the list says {known.normalize():f}: a thousand times off. "
                "Was it meant in another unit? Correct it, or force it."
            )
