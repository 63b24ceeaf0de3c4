"""`spanledger statement`: what months are charged, to the last digit."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, behind_since, reading
from spanledger_collector.cli.show import (
    Column,
    added,
    as_json,
    at_least,
    console,
    counted,
    decimals,
    digits,
    money,
    named,
    print_csv,
    print_table,
)
from spanledger_collector.cli.statements import statement as sql_of
from spanledger_collector.closing import month_of
from spanledger_collector.exceptions import UsageError

__all__ = ["statement"]

_DIMENSIONS: Final = (
    "team", "feature", "tenant", "service", "environment", "provider", "model", "completeness"
)  # fmt: skip
_COUNTS: Final = ("calls", "adjustment_calls", "unknown_calls", "unknown_adjustment_calls")
_AMOUNTS: Final = {"known_booked_usd": "booked USD", "known_adjustment_usd": "adjustments", "known_usd": "total USD"}
_DIGITS: Final = 24  # of the ledger's amounts: nothing is rounded here


def statement(
    month: Annotated[
        str | None, typer.Argument(help="Month, for example 2026-10.", show_default="all months, one line each")
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help=f"Dimensions of a month, comma separated: {', '.join(_DIMENSIONS)}.")
    ] = "team",
    json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV for spreadsheets.")] = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Show what a month is charged, or all months: what was booked, and adjustments of closed months."""
    if json and as_csv:
        raise UsageError("Give --json or --csv, not both.")
    first_day = month_of(month) if month else None
    names = _names(by)
    with reading(store, clickhouse) as client:
        sql = (
            sql_of("statement_lines").replace("{names}", ", ".join(names)) if first_day else sql_of("statement_months")
        )
        result = client.query(sql, {"month": first_day} if first_day else {})
        rows = list(result.named_results())
        behind = behind_since(client)
    if as_csv:
        print_csv(result.column_names, ({**row, "adjusts": "; ".join(_adjustments(row["adjusts"]))} for row in rows))
    elif json:
        typer.echo(as_json([_for_programs(row) | {"behind_since": behind} for row in rows]))
    elif first_day:
        _print_lines(f"{first_day:%Y-%m}", names, rows)
    else:
        _print_months(rows)


def _names(by: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in by.split(",") if name.strip()))
    for name in names:
        if name not in _DIMENSIONS:
            raise UsageError(f"--by: {name!r} is no dimension of a statement. There are: {', '.join(_DIMENSIONS)}.")
    if not names:
        raise UsageError("--by: name at least one dimension, for example team,model.")
    return names


def _for_programs(row: Mapping[str, Any]) -> dict[str, Any]:
    months = [
        {"month": f"{about:%Y-%m}", "calls": calls, "known_usd": usd, "cost_usd": None if unknown > 0 else usd}
        for about, calls, usd, unknown in row["adjusts"]
    ]
    return {name: str(value) if name == "month" else value for name, value in row.items()} | {"adjusts": months}


def _print_lines(month: str, names: list[str], rows: list[dict[str, Any]]) -> None:
    screen = console()
    if not rows:
        screen.print(f"Nothing is charged in {month}.", soft_wrap=True)
        return
    state = "closed" if max(row["is_closed"] for row in rows) else "open: it may still change"
    screen.print(f"Statement of {month} ({state})", style="bold", soft_wrap=True)
    _print(
        [Column(name, name) for name in names], [{name: named(row[name], name) for name in names} for row in rows], rows
    )


def _print_months(rows: list[dict[str, Any]]) -> None:
    screen = console()
    if not rows:
        screen.print("There are no calls yet.", soft_wrap=True)
        return
    texts = [{"month": f"{row['month']:%Y-%m}", "state": _state(row)} for row in rows]
    _print([Column("month", "month"), Column("state", "state")], texts, rows)


def _print(texts: list[Column], cells: list[dict[str, str]], rows: list[dict[str, Any]]) -> None:
    """Print what rows are charged beside their texts, the total, and what must be known about both."""
    total: dict[str, Any] = {name: added(row[name] for row in rows) for name in _AMOUNTS}
    total |= {name: sum(int(row[name]) for row in rows) for name in _COUNTS}
    places = decimals((row[name] for row in (*rows, total) for name in _AMOUNTS), _DIGITS)
    columns = [*texts, Column("calls", "calls", is_number=True)]
    if any(row["adjustment_calls"] for row in rows):
        columns.append(Column("adjustment_calls", "adj. calls", is_number=True))
    columns += [Column(name, heading, is_number=True) for name, heading in _AMOUNTS.items()]
    marked = sum(map(_unknown, rows))
    # Over all months a call that was booked as unknown takes its own mark away once it is known; within one it takes nobody's.
    unknown = total["unknown_calls"] + total["unknown_adjustment_calls"] if texts[0].key == "month" else marked
    sums = {column.key: "" for column in texts} | {texts[0].key: "total"} | _figures(total, places, unknown)
    screen = console()
    print_table(
        screen,
        columns,
        [cell | _figures(row, places, _unknown(row)) for cell, row in zip(cells, rows, strict=True)],
        sums,
    )
    for line in _adjustments([about for row in rows for about in row["adjusts"]]):
        screen.print(f"adjusts {line}", soft_wrap=True)
    if marked:
        screen.print(
            f"≥: a lower bound. The cost of {counted(unknown or marked, 'call')} is unknown and not in these sums; "
            "`spanledger statement MONTH --by completeness` says why.",
            soft_wrap=True,
        )


def _adjustments(adjusts: Sequence[tuple[date, int, Decimal, int]]) -> Iterator[str]:
    """Yield what each closed month is adjusted by, one text a month."""
    for month in sorted({about for about, *_ in adjusts}):
        calls = sum(int(count) for about, count, *_ in adjusts if about == month)
        usd = added(amount for about, _, amount, _ in adjusts if about == month)
        unknown = sum(int(count) for about, *_, count in adjusts if about == month) > 0
        amount = (
            f"{'≥ ' if unknown else ''}{'+' if usd > 0 else ''}{digits(usd)} USD" if usd or not unknown else "unknown"
        )
        yield f"{month:%Y-%m}: {calls:+,} {'call' if abs(calls) == 1 else 'calls'}, {amount}"


def _state(row: Mapping[str, Any]) -> str:
    if not row["is_closed"]:
        return "open"
    return f"closed {row['closed_at']:%Y-%m-%d} by {row['closed_by']}" + (f": {row['note']}" if row["note"] else "")


def _unknown(row: Mapping[str, Any]) -> int:
    """Return how many calls of unknown cost are charged: one that was booked earlier and is known now makes no other one known."""
    return max(int(row["unknown_calls"]), 0) + max(int(row["unknown_adjustment_calls"]), 0)


def _figures(row: Mapping[str, Any], places: int, unknown_in_all: int) -> dict[str, str]:
    own, adjusted = int(row["unknown_calls"]), int(row["unknown_adjustment_calls"])
    unknown = {"known_booked_usd": own, "known_adjustment_usd": adjusted, "known_usd": unknown_in_all}
    return {
        "calls": f"{int(row['calls']):,}",
        "adjustment_calls": f"{int(row['adjustment_calls']):+,}" if row["adjustment_calls"] else "",
        **{name: (at_least if unknown[name] > 0 else money)(row[name], places) for name in _AMOUNTS},
    }
