"""The price of a call by the genai-prices list: tokens and a date in, an exact Decimal out; no clock, no network."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices

from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelPrice, Provider

    from spanledger.usage import CallUsage

__all__ = ["PriceList", "library_cost_usd"]

# Prices change on days and, for some vendors, at times of day; all of those fall on quarter hours.
_QUARTER_HOUR_NS: Final = 15 * 60 * 1_000_000_000
_CACHED_RATES_MAX: Final = 4096

# Tier of the response -> context of the price list. A tier that is missing here is looked up under its own name.
_STANDARD_TIERS: Final = frozenset({"", "auto", "default", "standard"})
_CONTEXT_OF_TIER: Final[Mapping[str, Mapping[str, str]]] = {
    "": {},
    "auto": {},
    "standard": {},
    "batch": {"processing": "batch"},
}


@dataclass(frozen=True)
class _Rates:
    """USD per token in one size band of one model at one time."""

    input_usd: Decimal
    cache_read_usd: Decimal
    cache_write_usd: Decimal
    cache_write_1h_usd: Decimal
    output_usd: Decimal
    reasoning_usd: Decimal

    def cost_usd(self, usage: CallUsage) -> Decimal:
        uncached = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens
        return (
            uncached * self.input_usd
            + usage.cache_read_tokens * self.cache_read_usd
            + (usage.cache_write_tokens - usage.cache_write_1h_tokens) * self.cache_write_usd
            + usage.cache_write_1h_tokens * self.cache_write_1h_usd
            + (usage.output_tokens - usage.reasoning_tokens) * self.output_usd
            + usage.reasoning_tokens * self.reasoning_usd
        )


@dataclass(frozen=True)
class _Quote:
    """One model at one time: the library's price, its size thresholds, and the rates of the bands seen so far."""

    price: ModelPrice
    thresholds: tuple[int, ...]
    rates_by_band: dict[int, _Rates | None]  # None: not linear in the tokens; the library computes each call


# Provider, host, model, tier, quarter of an hour.
_QuoteKey = tuple[str, str, str, str, int]


class PriceList:
    """Prices calls, and remembers rates, so that a known model costs microseconds. Used by one thread at a time."""

    def __init__(self, snapshot: DataSnapshot | None = None) -> None:
        self._snapshot = snapshot
        self._quotes: dict[_QuoteKey, _Quote | None] = {}

    def load(self) -> None:
        """Load the list now: where a process forks while another thread is at it, the child keeps half a list."""
        try:
            get_snapshot()
        except Exception:  # noqa: BLE001 - calls are metered without prices too, and the ledger has its own
            warn_once("prices", "spanledger: the price list could not be loaded", with_error=True)

    def cost_usd(self, usage: CallUsage) -> Decimal | None:
        """Return the exact cost in USD, or None when the list has no price for this model, tier or usage."""
        if not _is_consistent(usage):
            return None
        quarter_hour = usage.start_time_ns // _QUARTER_HOUR_NS
        key = (usage.provider, usage.server_address, usage.model, usage.service_tier, quarter_hour)
        if key not in self._quotes:
            if len(self._quotes) >= _CACHED_RATES_MAX:
                self._quotes.clear()
            self._quotes[key] = self._quote(usage)
        quote = self._quotes[key]
        return None if quote is None else _cost_by_quote(quote, usage)

    def _quote(self, usage: CallUsage) -> _Quote | None:
        snapshot = self._snapshot or get_snapshot()
        price = _find_price(snapshot, usage)
        return None if price is None else _Quote(price, _thresholds(price), {})


def library_cost_usd(price: ModelPrice, usage: CallUsage) -> Decimal:
    """Return what the library itself computes for this usage."""
    return price.calc_price(_library_usage(usage))["total_price"]


def _is_consistent(usage: CallUsage) -> bool:
    cached = usage.cache_read_tokens + usage.cache_write_tokens
    return (
        min(usage.cache_read_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens, usage.output_tokens) >= 0
        and usage.input_tokens >= cached
        and usage.cache_write_tokens >= usage.cache_write_1h_tokens
        and usage.output_tokens >= usage.reasoning_tokens >= 0
    )


def _find_price(snapshot: DataSnapshot, usage: CallUsage) -> ModelPrice | None:
    try:
        provider, model = snapshot.find_provider_model(usage.model, _vendor(snapshot, usage), usage.provider, None)
    except LookupError:
        return None
    context = _CONTEXT_OF_TIER.get(usage.service_tier, {"service_tier": usage.service_tier})
    at = datetime.fromtimestamp(usage.start_time_ns // 1_000_000_000, UTC)
    is_own_model = any(model is own for own in provider.models)
    # A tier without a price of its own would silently get the standard one: that is a guess, not a price.
    has_variant = is_own_model and any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or ()
    )
    if usage.service_tier not in _STANDARD_TIERS and not has_variant:
        return None
    return model.get_prices(at, context if is_own_model else None)


def _vendor(snapshot: DataSnapshot, usage: CallUsage) -> Provider | None:
    """Return the vendor whose host was called: through the openai client, say, that is DeepSeek or Azure too."""
    if not usage.server_address:
        return None
    try:
        return snapshot.find_provider(None, None, f"https://{usage.server_address}/")
    except LookupError:
        return None


def _thresholds(price: ModelPrice) -> tuple[int, ...]:
    starts = {tier.start for value in vars(price).values() if isinstance(value, TieredPrices) for tier in value.tiers}
    return tuple(sorted(starts))


def _cost_by_quote(quote: _Quote, usage: CallUsage) -> Decimal | None:
    band = bisect_left(quote.thresholds, usage.input_tokens)  # a tier starts above its threshold
    if band not in quote.rates_by_band:
        quote.rates_by_band[band] = _rates(quote, band, usage)
    rates = quote.rates_by_band[band]
    if rates is not None:
        return rates.cost_usd(usage)
    try:
        return library_cost_usd(quote.price, usage)
    except ValueError:  # the list lacks a meter that this usage needs
        return None


def _rates(quote: _Quote, band: int, usage: CallUsage) -> _Rates | None:
    """Ask the library for each meter's price in this band, and believe the result only if it repeats its answer."""
    # One token above the threshold, plus one to take away again: both amounts lie in the same band.
    floor_tokens = quote.thresholds[band - 1] + 1 if band else 0

    def price_usd(**counts: int) -> Decimal:
        return quote.price.calc_price(Usage(**counts))["total_price"]

    try:
        base_usd = price_usd(input_tokens=floor_tokens)
        input_usd = price_usd(input_tokens=floor_tokens + 1) - base_usd
        rates = _Rates(
            input_usd=input_usd,
            cache_read_usd=price_usd(input_tokens=floor_tokens + 1, cache_read_tokens=1) - base_usd,
            cache_write_usd=price_usd(input_tokens=floor_tokens + 1, cache_write_tokens=1) - base_usd,
            cache_write_1h_usd=price_usd(input_tokens=floor_tokens + 1, cache_write_tokens=1, cache_write_1h_tokens=1)
            - base_usd,
            output_usd=price_usd(input_tokens=floor_tokens, output_tokens=1) - base_usd,
            reasoning_usd=price_usd(input_tokens=floor_tokens, output_tokens=1, output_reasoning_tokens=1) - base_usd,
        )
        is_exact = rates.cost_usd(usage) == library_cost_usd(quote.price, usage)
    except ValueError:
        return None
    return rates if is_exact else None


def _library_usage(usage: CallUsage) -> Usage:
    counts = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cache_write_1h_tokens": usage.cache_write_1h_tokens,
        "output_reasoning_tokens": usage.reasoning_tokens,
    }
    return Usage(**{key: value for key, value in counts.items() if value or key in {"input_tokens", "output_tokens"}})
