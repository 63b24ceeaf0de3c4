"""How a command changes prices: it drafts, shows what that would do to which costs, asks, and puts it in force with an audit."""

import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from clickhouse_connect.driver.client import Client

from spanledger_collector.cli.access import server_of, writing
from spanledger_collector.cli.show import (
    Column,
    added,
    as_json,
    at_least,
    console,
    decimals,
    money,
    named,
    print_table,
    user_name,
    working,
)
from spanledger_collector.database import Database
from spanledger_collector.exceptions import UsageError
from spanledger_collector.prices import Alias, Draft, Repriced, apply, discard, draft, preview
from spanledger_collector.prices.tables import Entry
from spanledger_collector.refresh import catch_up, settle

__all__ = ["Note", "Said", "Yes", "change"]

Yes = Annotated[bool, typer.Option("--yes", help="Put it in force without asking.")]
Note = Annotated[str, typer.Option(help="Why; kept in the audit.")]

_SHOWN_MAX: Final = 40
_SERVED_SECONDS: Final = 60.0
_COLUMNS: Final = (
    Column("month", "month"),
    Column("tenant", "tenant"),
    Column("team", "team"),
    Column("model", "model"),
    Column("calls", "calls", is_number=True),
    Column("old", "USD now", is_number=True),
    Column("new", "USD then", is_number=True),
    Column("delta", "difference", is_number=True),
)


@dataclass(frozen=True)
class Said:
    """What the owner says: rows of what is agreed, and names of models."""

    why: str
    entries: Sequence[Entry] = ()
    aliases: Sequence[Alias] = field(default=())


def change(
    store: Path | None,
    clickhouse: str | None,
    say: Callable[[Client], Said],
    *,
    yes: bool,
    json: bool = False,
    note: str = "",
) -> None:
    """Draft what is said, show what it changes, and put it in force if that is wanted.

    A change of history needs --yes or an answer on a terminal; without either, UsageError (exit code 2) after the preview.
    """
    is_served = server_of(store, clickhouse) is not None
    with writing(store, clickhouse, "prices") as database, contextlib.closing(database.client()) as client:
        said = say(client)
        with working("Drafting the price book"):
            why = ": ".join(filter(None, (said.why, note)))
            drafted = draft(client, why, entries=said.entries, aliases=said.aliases)
            found = preview(client, drafted) if drafted else []
        if drafted is None:
            typer.echo("[]" if json else "Nothing changes: the prices are that already.")
            return
        if not json:
            _show(found)
        try:
            wanted = yes or not found or _is_wanted()
        except BaseException:
            discard(client, drafted)
            raise
        if not wanted:
            discard(client, drafted)
        found = _in_force(database, client, drafted, is_served=is_served) if wanted else found
    _tell(drafted, found, wanted=wanted, json=json)


def _is_wanted() -> bool:
    return sys.stdin.isatty() and typer.confirm("Put it in force and price history again?")


def _in_force(database: Database, client: Client, drafted: Draft, *, is_served: bool) -> list[Repriced]:
    with working("Pricing history again"):
        found = apply(client, drafted, user_name())
        if is_served:
            catch_up(client, seconds=_SERVED_SECONDS)
        elif database.target.kind == "embedded":
            settle(client)
    return found


def _tell(drafted: Draft, found: Sequence[Repriced], *, wanted: bool, json: bool) -> None:
    if json:
        rows = [_for_programs(one) for one in found]
        book = drafted.head.book if wanted else None
        typer.echo(as_json({"in_force": wanted, "book": book, "why": drafted.why, "changes": rows}))
    if not wanted:
        raise UsageError("Nothing was changed. --yes puts it in force.")
    if not json:
        typer.echo(f"Price book {drafted.head.book} is in force: {drafted.why}.")


def _for_programs(one: Repriced) -> dict[str, Any]:
    """Return what changes, with null for a cost that is unknown, beside what is known of it."""
    known = {"old_usd": one.old_usd, "new_usd": one.new_usd, "delta_usd": one.delta_usd}
    old, new = one.old_unknown_calls, one.new_unknown_calls
    unknown = {"old_usd": old, "new_usd": new, "delta_usd": old or new}
    return {
        **vars(one),
        **{name: None if unknown[name] else usd for name, usd in known.items()},
        **{f"known_{name}": usd for name, usd in known.items()},
    }


def _show(found: Sequence[Repriced]) -> None:
    screen = console()
    if not found:
        screen.print(
            "No call that is in the ledger costs anything else by this: it holds for calls to come.", soft_wrap=True
        )
        return
    ordered = sorted(found, key=lambda one: -abs(one.delta_usd))
    screen.print("What this changes, in USD of known cost", style="bold", soft_wrap=True)
    old, new = added(one.old_usd for one in found), added(one.new_usd for one in found)
    shown = ordered[:_SHOWN_MAX]
    places = decimals([old, new, *(usd for one in shown for usd in (one.old_usd, one.new_usd))])
    print_table(screen, _COLUMNS, [_cells(one, places) for one in shown], _total(found, places))
    if len(found) > _SHOWN_MAX:
        screen.print(
            f"{len(found) - _SHOWN_MAX:,} smaller groups are not shown; the total has them. --json has all.",
            soft_wrap=True,
        )
    if closed := [one for one in found if one.is_closed]:
        months = ", ".join(sorted({f"{one.month:%Y-%m}" for one in closed}))
        moved = money(added(one.delta_usd for one in closed), places)
        screen.print(
            f"Of this {moved} is in closed months ({months}): it is posted as an adjustment in the first open one.",
            soft_wrap=True,
        )
    if priced := sum(one.newly_priced_calls for one in found):
        screen.print(f"{priced:,} calls without a price get one.", soft_wrap=True)
    if unknown := sum(one.newly_unknown_calls for one in found):
        screen.print(f"{unknown:,} calls lose theirs: their cost becomes unknown.", soft_wrap=True)


def _cells(one: Repriced, places: int) -> dict[str, str]:
    return {
        "month": f"{one.month:%Y-%m}{' (closed)' if one.is_closed else ''}",
        "tenant": named(one.tenant, "tenant"),
        "team": named(one.team, "team"),
        "model": f"{one.provider}/{one.model}",
        "calls": f"{one.calls:,}",
        **_amounts([one], places),
    }


def _total(found: Sequence[Repriced], places: int) -> dict[str, str]:
    return {
        "month": "total",
        "tenant": "",
        "team": "",
        "model": "",
        "calls": f"{sum(one.calls for one in found):,}",
        **_amounts(found, places),
    }


def _amounts(found: Sequence[Repriced], places: int) -> dict[str, str]:
    old = at_least if any(one.old_unknown_calls for one in found) else money
    new = at_least if any(one.new_unknown_calls for one in found) else money
    delta = added(one.delta_usd for one in found)
    return {
        "old": old(added(one.old_usd for one in found), places),
        "new": new(added(one.new_usd for one in found), places),
        "delta": f"{'+' if delta > 0 else ''}{money(delta, places)}",
    }
