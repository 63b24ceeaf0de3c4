"""Changes of prices: drafted first, looked at, then put in force with an audit of what they did to the costs.

A draft is a price book that is written and not in force. Whoever wants to know what it would change asks the view ``repriced_calls``, which
prices every call with both. In force, exactly the minutes that changed are summed again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.prices.assignments import Assignment, Rule
from spanledger_collector.prices.cache import cache_folder, cached_price_list
from spanledger_collector.prices.compile import Agreed, Book, Change, changes, compiled
from spanledger_collector.prices.currencies import CurrencyRate
from spanledger_collector.prices.extract import PriceList
from spanledger_collector.prices.overrides import Override
from spanledger_collector.prices.resolve import rules_version
from spanledger_collector.prices.segments import END, START
from spanledger_collector.prices.tables import (
    Alias,
    BookHead,
    Entry,
    discard_draft,
    read_agreed,
    read_head,
    read_rates,
    read_rules,
    read_segments,
    rows_of,
    run,
    take_effect,
    write_draft,
    write_entries,
    write_head,
)
from spanledger_collector.prices.terms import Term

__all__ = ["Draft", "Repriced", "apply", "discard", "draft", "finish_repricing", "preview", "utc_now"]

_NOT_AUDITED: Final = {"is_closed", "old_unknown_calls", "new_unknown_calls"}
_RECORD: Final = {"note", "created_by", "created_at"}
_SAID: Final[dict[type[Entry], set[str]]] = {  # what an entry says; all else is what it is about
    Override: {"prices", "currency"},
    Term: {"percent", "kind"},
    Assignment: {"contract"},
    CurrencyRate: {"usd"},
}
_TICK: Final = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Draft:
    """A price book that is written and not in force, and what it differs in from the one that is."""

    head: BookHead
    standing: int
    book: Book
    changes: tuple[Change, ...]
    rules: frozenset[Rule]
    changed_rules: frozenset[Rule]
    entries: tuple[Entry, ...]
    aliases: tuple[Alias, ...]
    why: str

    @property
    def _concerned(self) -> dict[str, Any]:
        """Parameters that narrow which calls are looked at; never narrower than what can change.

        A changed price that everybody pays concerns calls of its model; one of a contract, calls that a rule may put under it; a changed
        rule, calls that fit it: all others find the same rule first as before.
        """
        contracts = {one.key.contract for one in self.changes} - {""}
        rules = [*self.changed_rules, *(one for one in self.rules if one.contract in contracts)]
        spans = [(one.valid_from, one.valid_to) for one in self.changes]
        spans += [(one.valid_from, one.valid_to) for one in self.changed_rules]
        if self.aliases or not spans:
            spans.append((START, END))
        providers = {one.provider for one in rules}
        return {
            "since": int(min(start for start, _ in spans).timestamp()),
            "until": int(max(end for _, end in spans).timestamp()),
            "models": sorted({f"{one.key.provider}/{one.key.model}" for one in self.changes if not one.key.contract}),
            "rules": sorted({(one.tenant, one.account, one.deployment, one.environment, one.service) for one in rules}),
            "providers": [] if "" in providers else sorted(providers),
        }


@dataclass(frozen=True)
class Repriced:
    """What a draft does to the known cost of calls of a month, tenant, team and model; in a closed month it becomes an adjustment."""

    month: date
    tenant: str
    team: str
    provider: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    newly_priced_calls: int
    newly_unknown_calls: int
    old_usd: Decimal
    new_usd: Decimal
    is_closed: bool
    old_unknown_calls: int
    new_unknown_calls: int

    @property
    def delta_usd(self) -> Decimal:
        """After minus before."""
        return self.new_usd - self.old_usd


def utc_now() -> datetime:
    """Return the time, in UTC, in the milliseconds that the tables hold."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def draft(
    client: Client,
    why: str,
    *,
    entries: Sequence[Entry] = (),
    aliases: Sequence[Alias] = (),
    prices: PriceList | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Draft | None:
    """Write a draft of the book with what is said in addition; None if nothing new is said and nothing changed.

    ``prices`` defaults to the installed list. PriceError when a currency has no value.
    """
    listed = prices or cached_price_list(cache_folder())
    head, agreed = read_head(client), read_agreed(client)
    is_said = all(_is_said(one, agreed) for one in entries) and head.overrides == len(agreed.overrides)
    entries = _ranked(entries, agreed, now())
    agreed = _with(agreed, entries)
    standing, standing_rules = read_segments(client, head.book), read_rules(client, head.book)
    book = compiled(listed.segments, agreed, read_rates(client))
    wanted = BookHead(head.last_used + 1, listed.version, len(agreed.overrides), head.last_used)
    old_rules, new_rules = _meanings(standing_rules), _meanings(book.rules)
    is_same = (head.source_version, standing, old_rules) == (listed.version, list(book.segments), new_rules)
    if is_same and is_said and not aliases:
        return None
    write_draft(client, book, wanted, aliases, rules_version(), now())
    found = changes(standing, book.segments)
    return Draft(
        wanted, head.book, book, found, old_rules | new_rules, old_rules ^ new_rules, entries, tuple(aliases), why
    )


def preview(client: Client, drafted: Draft) -> list[Repriced]:
    """Return what the draft changes in the costs, exactly, group by group."""
    return _repriced(client, drafted)[0]


def apply(client: Client, drafted: Draft, who: str, *, now: Callable[[], datetime] = utc_now) -> list[Repriced]:
    """Put the draft in force and return what it changed, as it is written to the audit; mark what must be summed again.

    Each step can be cut off: until the book's own row is there nothing is in force, and after it the next start goes on.
    """
    run(client, "begin_repricing", {"book": drafted.head.book})
    found, minutes = _repriced(client, drafted)
    at = now()
    write_entries(client, drafted.entries)
    if minutes:
        rows = [[drafted.head.book, minute] for minute in minutes]
        client.insert("repriced_minutes", rows, column_names=["book", "minute"])
    if found:
        _write_audit(client, drafted, found, who, at)
    write_head(client, drafted.head, len(drafted.book.segments), drafted.why, at)
    finish_repricing(client)
    return found


def discard(client: Client, drafted: Draft) -> None:
    """Take the draft back."""
    discard_draft(client, drafted.head.book)


def finish_repricing(client: Client) -> None:
    """Put books that are in force to use, and mark what they changed; does nothing when all is done, and no harm when done twice.

    For whoever put a book in force, and for the next process, or the one that serves the store, after he was killed in the middle.
    """
    if rows_of(client, "repriced_books"):
        take_effect(client)
        run(client, "mark_repriced")
        run(client, "end_repricing")


def _repriced(client: Client, drafted: Draft) -> tuple[list[Repriced], list[int]]:
    """Return what the draft changes, by groups, and in which minutes (seconds since 1970)."""
    if not (drafted.changes or drafted.changed_rules or drafted.aliases):
        return [], []
    found = rows_of(client, "repriced", drafted._concerned)  # noqa: SLF001 - one noun
    groups = [Repriced(*row[2:]) for row in found if not row[0]]
    return groups, [row[1] for row in found if row[0]]


def _write_audit(client: Client, drafted: Draft, found: Iterable[Repriced], who: str, at: datetime) -> None:
    names = [name for name in Repriced.__dataclass_fields__ if name not in _NOT_AUDITED] + ["delta_usd"]
    columns = ["book_to", "book_from", "at", "who", "why", *names]
    rows = [
        [drafted.head.book, drafted.standing, at, who, drafted.why, *(getattr(one, name) for name in names)]
        for one in found
    ]
    client.insert("repricings", rows, column_names=columns)


def _ranked(entries: Sequence[Entry], agreed: Agreed, at: datetime) -> tuple[Entry, ...]:
    """Return the entries with the time that ranks them: newer beats older, however fast they come."""
    known: tuple[Entry, ...] = (*agreed.overrides, *agreed.terms, *agreed.assignments, *agreed.currency_rates)
    first = max([at, *(one.created_at + _TICK for one in known)])
    return tuple(replace(one, created_at=first + number * _TICK) for number, one in enumerate(entries))


def _is_said(entry: Entry, agreed: Agreed) -> bool:
    """Tell whether the last thing that was said about the same is the same."""
    standing: tuple[Entry, ...] = (*agreed.overrides, *agreed.terms, *agreed.assignments, *agreed.currency_rates)
    about = [one for one in standing if isinstance(one, type(entry)) and _about(one) == _about(entry)]
    last = max(about, key=lambda one: one.created_at, default=None)
    return last is not None and _matter(last) == _matter(entry)


def _matter(entry: Entry) -> dict[str, Any]:
    return {name: value for name, value in vars(entry).items() if name not in _RECORD}


def _about(entry: Entry) -> dict[str, Any]:
    return {name: value for name, value in _matter(entry).items() if name not in _SAID[type(entry)]}


def _with(agreed: Agreed, entries: Sequence[Entry]) -> Agreed:
    return replace(
        agreed,
        overrides=(*agreed.overrides, *(one for one in entries if isinstance(one, Override))),
        terms=(*agreed.terms, *(one for one in entries if isinstance(one, Term))),
        assignments=(*agreed.assignments, *(one for one in entries if isinstance(one, Assignment))),
        currency_rates=(*agreed.currency_rates, *(one for one in entries if isinstance(one, CurrencyRate))),
    )


def _meanings(rules: Iterable[Rule]) -> frozenset[Rule]:
    """Return the rules without their places, which follow from the rest."""
    return frozenset(rule._replace(place=0) for rule in rules)
