"""What cannot be right about prices and names: typing errors, wrong units, holes; said before it costs anybody money."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from itertools import pairwise
from statistics import median
from typing import Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.resolve import Resolver
from spanledger_collector.prices.show import PriceLine, every_price, list_prices
from spanledger_collector.prices.tables import rows_of
from spanledger_collector.suggestions import did_you_mean

__all__ = ["Doubt", "check_book", "checked_model", "checked_provider", "known_models"]

_FAR: Final = 1000
_FEW: Final = 5
_INPUT: Final = "input_usd_per_mtok"
_OUTPUT: Final = "output_usd_per_mtok"
_TOKENS: Final = "_usd_per_mtok"


@dataclass(frozen=True)
class Doubt:
    """A price that cannot be right, and why."""

    provider: str
    model: str
    context: str
    contract: str
    valid_from: datetime
    meter: str
    why: str


def known_models(client: Client, provider: str = "") -> set[str]:
    """Return the models that the book in force has a price for, of one provider or of all."""
    return {model for of, model in rows_of(client, "known_models") if provider in ("", of)}


def checked_provider(client: Client, provider: str, *, new: bool = False) -> str:
    """Return the provider's id in the price book; PriceError when there is none like that (``new``: unless it is like no other)."""
    known = {of for of, _ in rows_of(client, "known_models")}
    found = provider if provider in known else Resolver().provider(provider)
    if found:
        return found
    hint = did_you_mean(provider.lower(), known, cutoff=0.75)
    if new and not hint:
        return provider
    raise PriceError(
        f"The price book has no provider {provider!r}. {hint or '`spanledger prices list` shows which there are.'}"
    )


def checked_model(client: Client, provider: str, model: str) -> str:
    """Return the model; PriceError when the book does not have it and has one so like it that it is a slip of the pen."""
    models = known_models(client, provider)
    if model in models:
        return model
    near = [name for name in get_close_matches(model, models, n=3, cutoff=0.9) if _is_slip(name, model)]
    if near:
        raise PriceError(
            f"{provider}/{model} is not in the price book. Did you mean {', '.join(near)}? For a model of your own, force it."
        )
    return model


def check_book(client: Client) -> list[Doubt]:
    """Return what cannot be right in the prices: against their neighbours, their own meters, the list's, and their own history."""
    lines = list_prices(client)
    medians = _medians(lines)
    now = [doubt for line in lines for doubt in (*_of_meters(line), *_of_neighbours(line, medians))]
    return now + list(_of_history(every_price(client)))


def _is_slip(name: str, model: str) -> bool:
    """Tell whether two names differ in letters only: gpt-5.1 and gpt-5.2 are two models, gpt-5-mini and gpt-5-mni are not."""
    return [c for c in name if c.isdigit()] == [c for c in model if c.isdigit()]


def _medians(lines: Sequence[PriceLine]) -> Mapping[str, Decimal]:
    prices: dict[str, list[Decimal]] = {}
    for line in lines:
        for meter, price in line.prices.items():
            if price and line.source == "genai-prices":
                prices.setdefault(meter, []).append(price)
    return {meter: median(found) for meter, found in prices.items() if len(found) >= _FEW}


def _of_meters(line: PriceLine) -> Iterator[Doubt]:
    """Yield meters a thousand times off the model's own: an output that costs 1000 inputs, a cached token dearer than 20 new ones."""
    usual = line.prices[_INPUT] or line.prices[_OUTPUT]
    for meter, price in line.prices.items():
        if price < 0:
            yield _doubt(line, meter, f"it is {price}, below 0")
        elif meter.endswith(_TOKENS) and price and usual and not 1 < _FAR * price / usual < _FAR**2:
            yield _doubt(
                line, meter, f"it is {price:f}, and {usual:f} for input of the same model: a thousand times off"
            )


def _of_neighbours(line: PriceLine, medians: Mapping[str, Decimal]) -> Iterator[Doubt]:
    if line.source == "genai-prices":
        return
    for meter, price in line.prices.items():
        usual = medians.get(meter)
        if price and usual and price > _FAR * usual:
            yield _doubt(
                line, meter, f"it is {price:f}, where most models cost about {usual:f}: was it meant per token?"
            )


def _of_history(lines: Sequence[PriceLine]) -> Iterator[Doubt]:
    """Yield prices a thousand times off those before them, and those that begin before the last one ends."""
    spans: dict[tuple[str, ...], list[PriceLine]] = {}
    for line in sorted(lines, key=lambda line: line.valid_from):
        key = (line.contract, line.provider, line.model, line.context, f"{line.above_tokens} {line.from_minute}")
        spans.setdefault(key, []).append(line)
    for before, line in (pair for same in spans.values() for pair in pairwise(same)):
        if line.valid_from < before.valid_to:
            yield _doubt(line, "", f"it begins before the price from {before.valid_from:%Y-%m-%d} ends")
        for meter, price in line.prices.items():
            old = before.prices[meter]
            if price and old and not 1 < _FAR * price / old < _FAR**2:
                yield _doubt(
                    line, meter, f"it is {price:f}, and {old:f} until {line.valid_from:%Y-%m-%d}: a thousand times off"
                )


def _doubt(line: PriceLine, meter: str, why: str) -> Doubt:
    return Doubt(line.provider, line.model, line.context, line.contract, line.valid_from, meter, why)
