"""Reads and writes the tables of the price book; everything that decides anything about prices is elsewhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.client import Client

from spanledger_collector.prices.compile import Book, RateKey, SegmentRow
from spanledger_collector.prices.meters import METERS, Prices
from spanledger_collector.prices.overrides import Override

__all__ = [
    "Alias",
    "BookHead",
    "as_utc",
    "read_head",
    "read_overrides",
    "read_rates",
    "read_segments",
    "rows_of",
    "write_aliases",
    "write_book",
    "write_override",
]

_LIST: Final = "genai-prices"
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
)


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


def rows_of(client: Client, query: str, parameters: dict[str, Any] | None = None) -> Sequence[Sequence[Any]]:
    """Return the rows of one of the ``queries``, its parameters bound."""
    return client.query(_text(query), parameters=parameters).result_rows


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


def read_overrides(client: Client) -> list[Override]:
    """Return all prices that the owner set, oldest first."""
    found = (dict(zip(_OVERRIDE_COLUMNS, row, strict=True)) for row in rows_of(client, "overrides"))
    return [
        Override(**{**row, **{name: as_utc(row[name]) for name in ("valid_from", "valid_to", "created_at")}})
        for row in found
    ]


def write_override(client: Client, override: Override) -> None:
    """Add one row to ``price_overrides``."""
    _insert(client, "price_overrides", [[getattr(override, name) for name in _OVERRIDE_COLUMNS]], _OVERRIDE_COLUMNS)


def write_book(client: Client, book: Book, head: BookHead, note: str, learned_at: datetime) -> None:
    """Write a book under the head's number, its own row last: until then nobody reads the others."""
    rates = [
        [number, rate.provider, rate.model, rate.source, head.source_version, learned_at, *rate.prices]
        for rate, number in book.new_rates.items()
    ]
    _insert(client, "rates", rates, ("rate_id", "provider", "model", "source", "source_version", "learned_at", *METERS))
    _insert(client, "rate_segments", ([head.book, *row] for row in book.segments), ("book", *SegmentRow._fields))
    names = ("book", "learned_at", "source", "source_version", "segments", "overrides", "note")
    source = f"{_LIST} with overrides" if head.overrides else _LIST
    row = [head.book, learned_at, source, head.source_version, len(book.segments), head.overrides, note]
    _insert(client, "price_books", [row], names)
    for dictionary in ("rate_dict", "segment_dict"):
        client.command(f"system reload dictionary {dictionary}")


def write_aliases(client: Client, aliases: Sequence[Alias], version: str, learned_at: datetime) -> None:
    """Write what a version of the list calls these names, and reload their dictionary."""
    rank = int(learned_at.timestamp() * 1000)
    rows = [[*alias, _LIST, version, rank] for alias in aliases]
    _insert(client, "model_aliases", rows, (*Alias._fields, "source", "source_version", "rank"))
    if rows:
        client.command("system reload dictionary alias_dict")


def _insert(client: Client, table: str, rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> None:
    if data := list(rows):
        client.insert(table, data, column_names=columns)


@cache
def _text(query: str) -> str:
    return files(__package__).joinpath("queries", f"{query}.sql").read_text("utf-8")
