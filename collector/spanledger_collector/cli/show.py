"""How commands write money, tables and JSON, and that they are at work."""

import contextlib
import csv
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from getpass import getuser
from typing import Any, Final

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table

__all__ = [
    "Column",
    "added",
    "as_json",
    "at_least",
    "console",
    "counted",
    "decimals",
    "digits",
    "fits",
    "money",
    "named",
    "print_csv",
    "print_table",
    "user_name",
    "working",
]

_PIPE_WIDTH: Final = 1_000
_GAP: Final = 2
_TAGS: Final = frozenset({"team", "feature", "tenant", "user", "session", "task", "agent", "agent_step"})
_DECIMALS_MIN: Final = 6
_DECIMALS_MAX: Final = 12
# By a terminal: escapes, ends of lines, the direction of writing.
_OBEYED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_PRECISION: Final = 76  # digits of any sum of the ledger's amounts; Python's 28 would round


@dataclass(frozen=True)
class Column:
    """A column of a table: its key in the rows and its heading. Texts fold where it is narrow, numbers never."""

    key: str
    heading: str
    is_number: bool = False


class _Screen(Console):
    """Shows what senders chose, names and tags, as the text it is: neither markup nor emoji codes nor what a terminal obeys."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(_written_out(segment.text), segment.style)


def _written_out(text: str) -> str:
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def console() -> Console:
    """Return standard output for tables: as wide as the terminal (or COLUMNS), and wide enough for any table in a pipe."""
    has_width = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return _Screen(highlight=False, markup=False, emoji=False, width=None if has_width else _PIPE_WIDTH)


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal what takes its time; nothing elsewhere."""
    stderr = Console(stderr=True)
    with stderr.status(f"{what} ...") if stderr.is_terminal else contextlib.nullcontext():
        yield


def fits(screen: Console, columns: Sequence[Column], rows: Sequence[Mapping[str, str]]) -> bool:
    """Tell whether a table can be printed without folding a cell."""
    widths = [_width(column, rows) for column in columns]
    return sum(widths) + _GAP * (len(widths) - 1) <= screen.width


def print_table(
    screen: Console,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, str]],
    total: Mapping[str, str] | None = None,
) -> None:
    """Print rows of texts under headings, then the total; numbers are never cut, nor folded."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(
            column.heading,
            justify="right" if column.is_number else "left",
            no_wrap=column.is_number,
            min_width=_width(column, [*rows, *([total] if total else [])]) if column.is_number else None,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(_written_out(row[column.key]) for column in columns))
    if total:
        table.add_section()
        table.add_row(*(total[column.key] for column in columns), style="bold")
    screen.print(table)


def _width(column: Column, rows: Sequence[Mapping[str, str]]) -> int:
    return max(cell_len(text) for text in (column.heading, *(row[column.key] for row in rows)))


def decimals(amounts: Iterable[Decimal], at_most: int = _DECIMALS_MAX) -> int:
    """Return the decimals of a column of amounts, its total included: all digits, so that the column adds up as it is printed.

    Amounts that need more than ``at_most`` are rounded to that, but none to 0.
    """
    nonzero = [amount for amount in amounts if amount]
    needed = max((len(digits(amount).partition(".")[2]) for amount in nonzero), default=0)
    first = max((-amount.adjusted() for amount in nonzero), default=0)  # the first digit of the smallest that is not 0
    return max(_DECIMALS_MIN, min(needed, max(at_most, first)))


def money(amount_usd: Decimal, places: int | None = None, rounding: str = ROUND_HALF_EVEN) -> str:
    """Return an amount for people, with as many decimals as its column has, or as it needs alone."""
    places = decimals([amount_usd]) if places is None else places
    with localcontext(prec=_PRECISION, rounding=rounding):
        return f"{amount_usd:,.{places}f}"


def at_least(known_usd: Decimal, places: int | None = None) -> str:
    """Return what is known of a cost that is not known whole: a bound is never rounded up, and nothing known is unknown."""
    return f"≥ {money(known_usd, places, ROUND_FLOOR)}" if known_usd else "unknown"


def counted(count: int, what: str) -> str:
    """Return a number of things in words: 1 call, 2 calls."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def added(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of amounts."""
    with localcontext(prec=_PRECISION):
        return sum(amounts, Decimal(0))


def as_json(value: Any) -> str:
    """Return JSON with amounts as strings, because a JSON number is a float to most readers."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain)


def print_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print CSV for spreadsheets: amounts with all their digits, an empty cell for what is unknown."""
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: digits(value) if isinstance(value, Decimal) else value for name, value in row.items()})


def digits(amount: Decimal) -> str:
    """Return all digits of an amount, without zeros at the end."""
    text = f"{amount:f}"  # not normalize(): it would round to 28 digits
    return text.rstrip("0").rstrip(".") if "." in text else text


def named(value: object, dimension: str) -> str:
    """Return what people read for a value of a dimension: an empty tag is untagged, another empty one is none."""
    return str(value) or ("(untagged)" if dimension in _TAGS else "(none)")


def user_name() -> str:
    """Return who runs the command, for the ledger's records."""
    try:
        return getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"


def _plain(value: object) -> str:
    return digits(value) if isinstance(value, Decimal) else str(value)
