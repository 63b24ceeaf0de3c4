"""The price book: made from the installed price list and the owner's overrides, renewed when either changed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.cache import cache_folder, cached_price_list
from spanledger_collector.prices.compile import Change, changes, compiled
from spanledger_collector.prices.extract import PriceList
from spanledger_collector.prices.overrides import Override, checked
from spanledger_collector.prices.resolve import Resolver
from spanledger_collector.prices.tables import (
    BookHead,
    read_head,
    read_overrides,
    read_rates,
    read_segments,
    write_book,
    write_override,
)

__all__ = ["BookReport", "install", "set_override", "utc_now"]

_TICK: Final = timedelta(milliseconds=1)


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

    @property
    def affected_rate_ids(self) -> frozenset[int]:
        """Rates that calls may carry and should not any more: rollup buckets with them must be counted again."""
        return frozenset(rate for change in self.changes for rate in change.old_rate_ids)

    @property
    def affected_models(self) -> frozenset[tuple[str, str]]:
        """Models whose price changed anywhere, those without one before included: also buckets with rate 0 of these."""
        return frozenset((change.key.provider, change.key.model) for change in self.changes)


def utc_now() -> datetime:
    """Return the time, in UTC, in the milliseconds that the tables hold."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def install(
    client: Client,
    *,
    note: str,
    prices: PriceList | None = None,
    now: Callable[[], datetime] = utc_now,
) -> BookReport:
    """Write a new book if the list or the overrides changed since the newest one, and return what changed.

    ``prices`` defaults to the installed one.
    """
    listed = prices or cached_price_list(cache_folder())
    overrides = read_overrides(client)
    head = read_head(client)
    standing = read_segments(client, head.book)
    book = compiled(listed.segments, overrides, read_rates(client))
    wanted = BookHead(head.last_used + 1, listed.version, len(overrides), head.last_used)
    is_new = (head.source_version, head.overrides, standing) != (listed.version, len(overrides), list(book.segments))
    if is_new:
        write_book(client, book, wanted, note, now())
    return BookReport(
        wanted.book if is_new else head.book,
        is_new,
        listed.version,
        len(book.segments),
        len(overrides),
        len(book.new_rates) if is_new else 0,
        listed.unpriced_models,
        changes(standing, book.segments) if is_new else (),
    )


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
    _check_name(override)
    segments = [
        one for one in listed.segments if (one.key.provider, one.key.model) == (override.provider, override.model)
    ]
    own = [one for one in segments if one.key.context == override.context]
    right = checked(override, own + [one for one in segments if not one.key.context], force=force)
    # Newer beats older, so two overrides must never bear the same time, however fast they come.
    rank = max([now(), *(one.created_at + _TICK for one in read_overrides(client))])
    write_override(client, replace(right, created_at=rank))
    return install(client, note=f"override of {override.provider}/{override.model}", now=now, prices=listed)


def _check_name(override: Override) -> None:
    found = Resolver().resolve(override.provider, override.model)
    if found not in {None, (override.provider, override.model)}:
        provider, model = found or ("", "")
        raise PriceError(
            f"{override.provider}/{override.model} is {provider}/{model} in the price book. "
            "Set the price of that: it holds for all names of the model."
        )
