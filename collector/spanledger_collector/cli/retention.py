"""`spanledger retention`: how long the ledger keeps spans, calls and sums."""

import contextlib
from typing import Annotated

import typer
from clickhouse_connect.driver.client import Client

from spanledger_collector.cli.access import ClickHouseUrl, Store, Yes, confirmed, opened, reading
from spanledger_collector.cli.show import working
from spanledger_collector.migrations import migrate
from spanledger_collector.retention import NAMES, changed_retention, kept_retention, lost, write_retention
from spanledger_collector.target import Target

__all__ = ["retention"]

_RawDays = Annotated[
    int | None, typer.Option(help="Days that spans and log records are kept as delivered.", show_default=False)
]
_CallsDays = Annotated[
    int | None, typer.Option(help="Days that single calls are kept; older ones are in sums only.", show_default=False)
]
_RollupYears = Annotated[int | None, typer.Option(help="Years that hourly sums are kept.", show_default=False)]


def retention(
    raw_days: _RawDays = None,
    calls_days: _CallsDays = None,
    rollup_years: _RollupYears = None,
    yes: Yes = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Show how long spans, calls and sums are kept, or change it.

    To change it, stop `spanledger up` first. What is older than a shorter time is deleted; a longer one brings nothing back.
    """
    given = dict(zip(NAMES, (raw_days, calls_days, rollup_years), strict=True))
    wished = {name: value for name, value in given.items() if value is not None}
    if not wished:
        with reading(store, clickhouse) as client:
            typer.echo(_said(kept_retention(client, Target(database=client.database or "spanledger"))))
        return
    with (
        opened(store, clickhouse, "spanledger retention", wished=Target()) as database,
        contextlib.closing(database.client()) as client,
    ):
        old = kept_retention(client, database.target)
        new = changed_retention(old, wished)
        if new == old:
            typer.echo(f"This is so already. {_said(old)}")
            return
        confirmed(_warning(client, old, new), yes=yes)
        with working("Changing how long things are kept"):
            write_retention(client, new)
            migrate(client, new)
    typer.echo(_said(new))


def _said(target: Target) -> str:
    kept = (
        f"Spans and log records are kept {target.raw_days} days, calls {target.calls_days} days, "
        f"hourly sums {target.rollup_years} year{'s' if target.rollup_years != 1 else ''}."
    )
    whole = [
        f"{what} are whole since {since}"
        for what, since in (("calls", target.calls_since), ("sums", target.rollups_since))
        if since
    ]
    return f"{kept} More is kept than once was: {', '.join(whole)} (UTC)." if whole else kept


def _warning(client: Client, old: Target, new: Target) -> str:
    counts = [f"{count:,} {what}" for what, count in lost(client, new).items()]
    gone = (
        f"These are older and will be deleted for good: {', '.join(counts)}."
        if counts
        else "Nothing is old enough to be deleted."
    )
    longer = any(getattr(new, name) > getattr(old, name) for name in NAMES)
    return f"If you agree: {_said(new)} {gone}" + (" What was deleted before does not come back." if longer else "")
