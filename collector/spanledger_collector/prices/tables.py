"""Reads and writes the tables of the price book; everything that decides anything about prices is elsewhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.client import Client

from spanledger_collector.prices.assignments import Assignment, Rule
from spanledger_collector.prices.compile import Agreed, Book, RateKey, SegmentRow
from spanledger_collector.prices.currencies import CurrencyRate
from spanledger_collector.prices.meters import METERS, Prices
from spanledger_collector.prices.overrides import Override
from spanledger_collector.prices.terms import Term, Uplift

__all__ = [
    "USER",
    "Alias",
    "BookHead",
    "Entry",
    "as_utc",
    "discard_draft",
    "read_agreed",
    "read_head",
    "read_rates",
    "read_rules",
    "read_segments",
    "rows_of",
    "run",
    "take_effect",
    "write_aliases",
    "write_draft",
    "write_entries",
    "write_head",
]

_LIST: Final = "genai-prices"
USER: Final = "user"
_USERS_RANK: Final = 2**62
_OVERRIDE_COLUMNS: Final = (
    "provider",
    "model",
    "prices",
    "valid_from",
    "valid_to",
    "contract",
    "context",
    "note",
    "created_by",
    "created_at",
    "currency",
)
_DATES: Final = ("valid_from", "valid_to", "created_at")
_TABLES: Final[dict[type, str]] = {
    Override: "price_overrides",
    Term: "contract_terms",
    Assignment: "contract_assignments",
    CurrencyRate: "currency_rates",
}
_STANDING: Final = ("segment_dict", "alias_dict", "contract_dict", "region_dict")
_DRAFTED: Final = ("rate_dict", *(f"draft_{name}" for name in _STANDING))

Entry = Override | Term | Assignment | CurrencyRate
"""What an owner can say about prices: one row of a table that only grows."""


@dataclass(frozen=True)
class BookHead:
    """The price book in force (0: none yet), what it was made of, and the highest book number that any row carries."""

    book: int
    source_version: str
    overrides: int
    last_used: int


class Alias(NamedTuple):
    """What the price book calls a model that telemetry calls otherwise; an empty model: it does not know it."""

    provider_raw: str
    model_raw: str
    provider: str
    model: str
    source: str = _LIST


def rows_of(client: Client, query: str, parameters: dict[str, Any] | None = None) -> Sequence[Sequence[Any]]:
    """Return the rows of one of the ``queries``, its parameters bound."""
    return client.query(_text(query), parameters=parameters).result_rows


def run(client: Client, statement: str, parameters: dict[str, Any] | None = None) -> None:
    """Run one of the ``queries`` that writes, its parameters bound."""
    client.command(_text(statement), parameters=parameters)


def as_utc(moment: datetime) -> datetime:
    """Return a moment as the database gave it, in UTC: the driver leaves the zone off when it is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_head(client: Client) -> BookHead:
    """Return what is known of the newest complete book."""
    return BookHead(*rows_of(client, "latest_book")[0])


def read_segments(client: Client, book: int) -> list[SegmentRow]:
    """Return the segments of a book, sorted by key and time."""
    rows = rows_of(client, "segments_of_book", {"book": book})
    return [SegmentRow._make((*row[:4], as_utc(row[4]), as_utc(row[5]), *map(tuple, row[6:]))) for row in rows]


def read_rates(client: Client) -> dict[RateKey, int]:
    """Return all rates ever used, with their numbers."""
    return {RateKey(row[1], row[2], row[3], Prices(*row[4:])): row[0] for row in rows_of(client, "rates")}


def read_agreed(client: Client) -> Agreed:
    """Return all that the owner ever said about prices, oldest first, and what regions cost more."""
    uplifts = [
        Uplift(provider, region, model, percent, as_utc(since))
        for provider, region, model, percent, since in rows_of(client, "region_uplifts")
    ]
    return Agreed(
        tuple(Override(**row) for row in _entries(client, "overrides", _OVERRIDE_COLUMNS)),
        tuple(Term(**row) for row in _entries(client, "contract_terms", _columns(Term))),
        tuple(Assignment(**row) for row in _entries(client, "contract_assignments", _columns(Assignment))),
        tuple(uplifts),
        tuple(CurrencyRate(**row) for row in _entries(client, "currency_rates", _columns(CurrencyRate))),
    )


def read_rules(client: Client, book: int) -> tuple[Rule, ...]:
    """Return the rules of a book in their order."""
    rows = rows_of(client, "rules_of_book", {"book": book})
    return tuple(Rule._make((*row[:8], as_utc(row[8]), as_utc(row[9]))) for row in rows)


def write_entries(client: Client, entries: Sequence[Entry]) -> None:
    """Add what the owner says, a row each."""
    for kind, table in _TABLES.items():
        rows = [vars(one) for one in entries if isinstance(one, kind)]
        names = _OVERRIDE_COLUMNS if kind is Override else _columns(kind)
        _insert(client, table, ([row[name] for name in names] for row in rows), names)


def write_draft(
    client: Client, book: Book, head: BookHead, aliases: Sequence[Alias], version: str, at: datetime
) -> None:
    """Write a book under the head's number, and aliases with it; nobody prices with them before ``write_head``."""
    rates = [
        [number, rate.provider, rate.model, rate.source, head.source_version, at, *rate.prices]
        for rate, number in book.new_rates.items()
    ]
    _insert(client, "rates", rates, ("rate_id", "provider", "model", "source", "source_version", "learned_at", *METERS))
    _insert(client, "rate_segments", ([head.book, *row] for row in book.segments), ("book", *SegmentRow._fields))
    _insert(client, "contract_rules", ([head.book, *row] for row in book.rules), ("book", *Rule._fields))
    client.command("truncate table drafted_aliases")
    _insert_aliases(client, "drafted_aliases", aliases, version, at, first=True)
    _reload(client, _DRAFTED)


def write_head(client: Client, head: BookHead, segments: int, note: str, at: datetime) -> None:
    """Write the book's own row, which makes it the one in force."""
    names = ("book", "learned_at", "source", "source_version", "segments", "overrides", "note")
    source = f"{_LIST} with overrides" if head.overrides else _LIST
    row = [head.book, at, source, head.source_version, segments, head.overrides, note]
    _insert(client, "price_books", [row], names)


def take_effect(client: Client) -> None:
    """Move the aliases that were drafted with the book in force to the others, and have the engine read the book; may be repeated."""
    head = read_head(client)
    if head.last_used == head.book:  # else a newer draft has taken their place
        _move_drafted_aliases(client)
    _reload(client, _STANDING)


def _move_drafted_aliases(client: Client) -> None:
    # A list's answer that was drafted takes the place of a user's alias that is taken back.
    client.command(
        f"delete from model_aliases where source = '{USER}' and (provider_raw, model_raw) in "
        f"(select provider_raw, model_raw from drafted_aliases where source != '{USER}')"
    )
    client.command(
        f"insert into model_aliases select * replace (if(source = '{USER}', rank, rank - {_USERS_RANK}) as rank) from drafted_aliases"
    )
    client.command("truncate table drafted_aliases")


def discard_draft(client: Client, book: int) -> None:
    """Take back a draft that is not in force."""
    for table in ("rate_segments", "contract_rules", "repriced_minutes", "repricings"):
        column = "book_to" if table == "repricings" else "book"
        client.command(f"delete from {table} where {column} = {{book:UInt32}}", parameters={"book": book})
    client.command("truncate table drafted_aliases")


def write_aliases(client: Client, aliases: Sequence[Alias], version: str, learned_at: datetime) -> None:
    """Write what a version of the list calls these names, and reload their dictionary."""
    _insert_aliases(client, "model_aliases", aliases, version, learned_at)
    if aliases:
        _reload(client, ("alias_dict",))


def _insert_aliases(
    client: Client, table: str, aliases: Sequence[Alias], version: str, learned_at: datetime, *, first: bool = False
) -> None:
    milliseconds = int(learned_at.timestamp() * 1000)
    rows = [
        [
            *one[:4],
            one.source,
            version if one.source == _LIST else "",
            milliseconds + (first or one.source == USER) * _USERS_RANK,
        ]
        for one in aliases
    ]
    _insert(client, table, rows, ("provider_raw", "model_raw", "provider", "model", "source", "source_version", "rank"))


def _entries(client: Client, query: str, names: Sequence[str]) -> list[dict[str, Any]]:
    rows = [dict(zip(names, row, strict=True)) for row in rows_of(client, query)]
    return [{**row, **{name: as_utc(row[name]) for name in _DATES if name in row}} for row in rows]


def _columns(kind: type) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


def _reload(client: Client, dictionaries: Iterable[str]) -> None:
    for name in dictionaries:
        client.command(f"system reload dictionary {name}")


def _insert(client: Client, table: str, rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> None:
    if data := list(rows):
        client.insert(table, data, column_names=columns)


@cache
def _text(query: str) -> str:
    text = files(__package__).joinpath("queries", f"{query}.sql").read_text("utf-8")
    return text.replace("{concerned}", _text("concerned")) if "{concerned}" in text else text
