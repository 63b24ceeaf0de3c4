"""The price book: what a token costs, with whom, since when, and who says so."""

from spanledger_collector.prices.aliases import resolve_new
from spanledger_collector.prices.book import BookReport, install, set_override
from spanledger_collector.prices.overrides import Override
from spanledger_collector.prices.resolve import resolve
from spanledger_collector.prices.segments import context_of
from spanledger_collector.prices.show import PRICE_NAMES, PriceLine, list_prices, show

__all__ = [
    "PRICE_NAMES",
    "BookReport",
    "Override",
    "PriceLine",
    "context_of",
    "install",
    "list_prices",
    "resolve",
    "resolve_new",
    "set_override",
    "show",
]
