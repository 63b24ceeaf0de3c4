"""`spanledger close`: books a month for good."""

import contextlib
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

import typer
from rich.console import Console

from spanledger_collector.cli.access import ClickHouseUrl, Store, Yes, confirmed, writing
from spanledger_collector.cli.show import Column, added, counted, decimals, money, print_table, user_name, working
from spanledger_collector.closing import MonthState, check_closable, close_month, month_of, states
from spanledger_collector.refresh import settle

__all__ = ["close"]

_COLUMNS: Final = (
    Column("state", "state"),
    Column("calls", "calls", is_number=True),
    Column("known", "USD", is_number=True),
    Column("low", "at least", is_number=True),
    Column("high", "at most", is_number=True),
)


def close(
    month: Annotated[str, typer.Argument(help="Month that is over, for example 2026-10.")],
    note: Annotated[str, typer.Option(help="Why, or what to know about it.")] = "",
    yes: Yes = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Close a month: what is booked stays, and what is learned later is an adjustment in the first open month."""
    first_day = month_of(month)
    with writing(store, clickhouse, "spanledger close") as database, contextlib.closing(database.client()) as client:
        if database.target.kind == "embedded":
            with working("Bringing the ledger up to date"):
                settle(client)
        check_closable(client, first_day)
        known = _show(first_day, states(client, first_day))
        confirmed(f"Booking {money(known)} USD for {month} cannot be undone.", yes=yes)
        close_month(client, first_day, closed_by=user_name(), note=note)
    typer.echo(f"{month} is closed with {money(known)} USD. `spanledger statement {month}` shows it by team.")


def _show(month: date, rows: list[MonthState]) -> Decimal:
    """Print how much of the month's money is known, on standard error, and return that."""
    screen = Console(stderr=True, highlight=False, soft_wrap=True)
    screen.print(f"{month:%Y-%m}: how its cost is known", style="bold")
    places = decimals(usd for row in rows for usd in (row.known_usd, row.low_usd, row.high_usd or row.low_usd))
    cells = [
        {
            "state": row.completeness,
            "calls": f"{row.calls:,}",
            "known": "" if row.unknown else money(row.known_usd, places),
            "low": money(row.low_usd, places) if row.unknown else "",
            "high": ("unknown" if row.high_usd is None else money(row.high_usd, places)) if row.unknown else "",
        }
        for row in rows
    ]
    print_table(screen, _COLUMNS, cells)
    if unknown := sum(row.calls for row in rows if row.unknown):
        screen.print(
            f"The cost of {counted(unknown, 'call')} is unknown. It is booked as nothing; what is learned later will be an adjustment.",
            style="yellow",
        )
    return added(row.known_usd for row in rows)
