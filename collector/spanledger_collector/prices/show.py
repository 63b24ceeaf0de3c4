"""What the price book says, for people: per million tokens, with dates, contexts, tiers and sources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.meters import METERS
from spanledger_collector.prices.repricing import utc_now
from spanledger_collector.prices.resolve import Resolver
from spanledger_collector.prices.tables import as_utc, rows_of
from spanledger_collector.suggestions import did_you_mean

__all__ = ["PRICE_NAMES", "PriceLine", "every_price", "list_prices", "show"]

PRICE_NAMES: Final = tuple(meter.replace("_usd_per_token", "_usd_per_mtok") for meter in METERS)
"""Names of a line's prices: USD per million tokens; ``request_usd`` and ``web_search_usd`` are for one."""

_MILLION: Final = 6
_DATES: Final = ("valid_from", "valid_to", "learned_at")
_COLUMNS: Final = (
    "contract",
    "provider",
    "model",
    "context",
    "valid_from",
    "valid_to",
    "above_tokens",
    "from_minute",
    "to_minute",
    "rate_id",
    "source",
    "source_version",
    "learned_at",
)


@dataclass(frozen=True)
class PriceLine:
    """A price in force: for calls of more than ``above_tokens`` input tokens, in some minutes of the UTC day."""

    contract: str
    provider: str
    model: str
    context: str
    valid_from: datetime
    valid_to: datetime
    above_tokens: int
    from_minute: int
    to_minute: int
    rate_id: int
    source: str
    source_version: str
    learned_at: datetime
    prices: Mapping[str, Decimal]


def list_prices(
    client: Client,
    *,
    provider: str | None = None,
    model: str | None = None,
    at: datetime | None = None,
    book: int = 0,
    now: Callable[[], datetime] = utc_now,
) -> list[PriceLine]:
    """Return the prices valid at a time (default: now), of one provider (by any of its names) or model or of all.

    ``book``: as that price book said (0: the one in force), so that what was believed on a day can be read back.
    """
    provider = provider and (Resolver().provider(provider) or provider)
    return _lines(client, provider or "", model or "", int((at or now()).timestamp()), book)


def every_price(client: Client) -> list[PriceLine]:
    """Return the prices of all models and times."""
    return _lines(client, "", "", 0)


def show(client: Client, provider: str, model: str) -> list[PriceLine]:
    """Return all prices of a model, past and coming, by any of its names; PriceError when the book has none."""
    lines = _lines(client, provider, model, 0)
    if not lines and (found := Resolver().resolve(provider, model)):
        lines = _lines(client, *found, 0)
    if not lines:
        names = {line.model for line in _lines(client, provider, "", 0)}
        hint = did_you_mean(model, names, "`spanledger prices list` shows what there is; set a price for it.")
        raise PriceError(f"The price book has no price for {provider}/{model}. {hint}")
    return lines


def _lines(client: Client, provider: str, model: str, at_unix_seconds: int, book: int = 0) -> list[PriceLine]:
    rows = rows_of(client, "price_lines", {"provider": provider, "model": model, "at": at_unix_seconds, "book": book})
    return [_line(dict(zip(_COLUMNS, row, strict=False)), row[len(_COLUMNS) :]) for row in rows]


def _line(columns: dict[str, Any], prices: Sequence[Decimal]) -> PriceLine:
    dates = {name: as_utc(columns[name]) for name in _DATES}
    return PriceLine(
        **{**columns, **dates}, prices=dict(zip(PRICE_NAMES, map(_for_people, METERS, prices), strict=True))
    )


def _for_people(meter: str, price_usd: Decimal) -> Decimal:
    """Return the price per million tokens, without zeros behind; a fee as it is."""
    price = price_usd.scaleb(_MILLION if meter.endswith("_per_token") else 0)
    return price.quantize(Decimal(1)) if price == price.to_integral_value() else price.normalize()
