"""The price book: what a token costs, with whom, since when, and who says so."""

from spanledger_collector.prices.aliases import resolve_new
from spanledger_collector.prices.assignments import Assignment, checked_assignment
from spanledger_collector.prices.book import BookReport, checked_override, install, set_override
from spanledger_collector.prices.currencies import CurrencyRate, checked_currency_rate
from spanledger_collector.prices.overrides import Override
from spanledger_collector.prices.repricing import Draft, Repriced, apply, discard, draft, preview
from spanledger_collector.prices.resolve import resolve
from spanledger_collector.prices.segments import context_of
from spanledger_collector.prices.show import PRICE_NAMES, PriceLine, list_prices, show
from spanledger_collector.prices.tables import Alias
from spanledger_collector.prices.terms import Term, checked_term

__all__ = [
    "PRICE_NAMES",
    "Alias",
    "Assignment",
    "BookReport",
    "CurrencyRate",
    "Draft",
    "Override",
    "PriceLine",
    "Repriced",
    "Term",
    "apply",
    "checked_assignment",
    "checked_currency_rate",
    "checked_override",
    "checked_term",
    "context_of",
    "discard",
    "draft",
    "install",
    "list_prices",
    "preview",
    "resolve",
    "resolve_new",
    "set_override",
    "show",
]
