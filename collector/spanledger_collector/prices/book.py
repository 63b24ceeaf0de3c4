"""The price book: made from the installed price list and what the owner agreed, renewed when either changed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from clickhouse_connect.driver.client import Client

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.aliases import changed_answers
from spanledger_collector.prices.cache import cache_folder, cached_price_list
from spanledger_collector.prices.check import checked_provider
from spanledger_collector.prices.compile import Change
from spanledger_collector.prices.contexts import canonical_context
from spanledger_collector.prices.extract import PriceList
from spanledger_collector.prices.overrides import Override, check_dearest, checked
from spanledger_collector.prices.repricing import Draft, apply, draft, finish_repricing, utc_now
from spanledger_collector.prices.resolve import Resolver
from spanledger_collector.prices.tables import read_head

__all__ = ["BookReport", "checked_override", "install", "set_override"]


@dataclass(frozen=True)
class BookReport:
    """What installing a price book did; ``changes`` say in which spans which calls now have another price."""

    book: int
    is_new: bool
    source_version: str
    segments: int
    overrides: int
    new_rates: int
    unpriced_models: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...] = ()


def install(
    client: Client,
    *,
    note: str,
    prices: PriceList | None = None,
    now: Callable[[], datetime] = utc_now,
) -> BookReport:
    """Put a new book in force if the list or what the owner agreed changed since the newest one, and return what changed.

    ``prices`` defaults to the installed one. Names that the list, or the rules of their matching,
    know better now move with it, and the audit tells what it did.
    """
    listed = prices or cached_price_list(cache_folder())
    drafted = draft(client, note, aliases=changed_answers(client), prices=listed, now=now)
    if drafted is None:
        return _unchanged(client, listed)
    apply(client, drafted, f"genai-prices {listed.version}", now=now)
    return _report(drafted, listed)


def set_override(
    client: Client,
    override: Override,
    *,
    force: bool = False,
    prices: PriceList | None = None,
    now: Callable[[], datetime] = utc_now,
) -> BookReport:
    """Set a price from now on, for its time, and return what it changed; PriceError when it cannot be right.

    ``force`` admits an unlikely price (above a dollar a token, a thousand times off the list), not an impossible one.
    """
    listed = prices or cached_price_list(cache_folder())
    if not force:
        override = replace(override, provider=checked_provider(client, override.provider, new=True))
    right = checked_override(override, listed, force=force)
    drafted = draft(client, f"override of {right.provider}/{right.model}", entries=[right], prices=listed, now=now)
    if drafted is None:
        return _unchanged(client, listed)
    apply(client, drafted, right.created_by, now=now)
    return _report(drafted, listed)


def checked_override(override: Override, listed: PriceList, *, force: bool = False) -> Override:
    """Return the override as the book will hold it; PriceError when it cannot be right."""
    _check_name(override)
    override = replace(override, context=canonical_context(override.context))
    segments = [
        one for one in listed.segments if (one.key.provider, one.key.model) == (override.provider, override.model)
    ]
    own = [one for one in segments if one.key.context == override.context]
    right = checked(override, own + [one for one in segments if not one.key.context], force=force)
    if not segments and not force and override.currency == "USD":
        check_dearest(right, listed.segments)
    return right


def _unchanged(client: Client, listed: PriceList) -> BookReport:
    finish_repricing(client)  # an earlier process may have been killed before it could
    head = read_head(client)
    return BookReport(head.book, False, listed.version, 0, head.overrides, 0, listed.unpriced_models)


def _report(drafted: Draft, listed: PriceList) -> BookReport:
    return BookReport(
        drafted.head.book,
        True,
        listed.version,
        len(drafted.book.segments),
        drafted.head.overrides,
        len(drafted.book.new_rates),
        listed.unpriced_models,
        drafted.changes,
    )


def _check_name(override: Override) -> None:
    found = Resolver().resolve(override.provider, override.model)
    if found not in {None, (override.provider, override.model)}:
        provider, model = found or ("", "")
        raise PriceError(
            f"{override.provider}/{override.model} is {provider}/{model} in the price book. "
            "Set the price of that: it holds for all names of the model."
        )
