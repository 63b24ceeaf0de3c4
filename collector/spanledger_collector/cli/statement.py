"""`spanledger statement`: what months are charged, to the last digit."""

import csv
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading
from spanledger_collector.cli.show import Column, as_json, console, digits, money, named, print_table
from spanledger_collector.cli.statements import statement as sql_of
from spanledger_collector.closing import month_of
from spanledger_collector.exceptions import UsageError

__all__ = ["statement"]

_DIMENSIONS: Final = (
    "team", "feature", "tenant", "service", "environment", "provider", "model", "completeness"
)  # fmt: skip
_AMOUNTS: Final = {"booked_usd": "booked USD", "adjustment_usd": "adjustments", "total_usd": "total USD"}
_ZERO: Final = Decimal(0)


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
        rows = [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]
    if json or as_csv:
        plain = [{name: str(value) if name == "month" else value for name, value in row.items()} for row in rows]
        _csv(plain, [*result.column_names]) if as_csv else typer.echo(as_json(plain))
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


def _csv(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: digits(value) if isinstance(value, Decimal) else value for name, value in row.items()})


def _print_lines(month: str, names: list[str], rows: list[dict[str, Any]]) -> None:
    screen = console()
    if not rows:
        screen.print(f"Nothing is charged in {month}.", soft_wrap=True)
        return
    state = "closed" if max(row["is_closed"] for row in rows) else "open: it may still change"
    screen.print(f"Statement of {month} ({state})", style="bold", soft_wrap=True)
    columns = [Column(name, name) for name in names] + [Column("calls", "calls", is_number=True)]
    columns += [Column(name, heading, is_number=True) for name, heading in _AMOUNTS.items()]
    cells = [{name: named(row[name], name) for name in names} | _figures(row) for row in rows]
    total = {name: sum((row[name] for row in rows), _ZERO) for name in _AMOUNTS}
    total["calls"] = sum(int(row["calls"]) for row in rows)
    print_table(screen, columns, cells, dict.fromkeys(names, "") | {names[0]: "total"} | _figures(total))
    if unknown := sum(int(row["unknown_calls"]) for row in rows):
        screen.print(
            f"The cost of {unknown:,} calls is unknown and not in these sums; --by completeness says why.",
            soft_wrap=True,
        )


def _print_months(rows: list[dict[str, Any]]) -> None:
    screen = console()
    if not rows:
        screen.print("There are no calls yet.", soft_wrap=True)
        return
    columns = [Column("month", "month"), Column("state", "state"), Column("calls", "calls", is_number=True)]
    columns += [Column(name, heading, is_number=True) for name, heading in _AMOUNTS.items()]
    cells = [{"month": f"{row['month']:%Y-%m}", "state": _state(row)} | _figures(row) for row in rows]
    total: dict[str, Any] = {name: sum((row[name] for row in rows), _ZERO) for name in _AMOUNTS}
    total["calls"] = sum(int(row["calls"]) for row in rows)
    print_table(screen, columns, cells, {"month": "total", "state": ""} | _figures(total))


def _state(row: Mapping[str, Any]) -> str:
    if not row["is_closed"]:
        return "open"
    return f"closed {row['closed_at']:%Y-%m-%d} by {row['closed_by']}" + (f": {row['note']}" if row["note"] else "")


def _figures(row: Mapping[str, Any]) -> dict[str, str]:
    return {"calls": f"{int(row['calls']):,}", **{name: money(row[name]) for name in _AMOUNTS}}
