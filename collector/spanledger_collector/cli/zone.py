"""`spanledger zone`: the time zone in which the ledger reports."""

import contextlib
from dataclasses import replace
from typing import Annotated

import typer

from spanledger_collector.cli.access import ClickHouseUrl, Store, Yes, confirmed, opened, reading
from spanledger_collector.cli.show import working
from spanledger_collector.migrations import migrate
from spanledger_collector.refresh import settle
from spanledger_collector.retention import kept_retention, whole_days
from spanledger_collector.target import Target
from spanledger_collector.zone import checked_zone, realign_hours, stored_zone, write_zone

__all__ = ["zone"]


def zone(
    name: Annotated[
        str | None, typer.Argument(help="New zone, for example Europe/Berlin.", show_default="show the present one")
    ] = None,
    yes: Yes = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Show the reporting time zone, or change it: hours, days and months are counted in it from then on, history too.

    To change it, stop `spanledger up` first: all history is summed again.
    """
    if name is None:
        with reading(store, clickhouse) as client:
            typer.echo(stored_zone(client))
        return
    with (
        opened(store, clickhouse, "spanledger zone", wished=Target()) as database,
        contextlib.closing(database.client()) as client,
    ):
        target = database.target
        old, new = stored_zone(client, target.database), checked_zone(client, name)
        if new == old:
            typer.echo(f"This ledger reports in {old} already.")
            return
        confirmed(
            f"Days and months of all history will begin at midnight of {new} instead of {old}; what was booked for closed months "
            "stays, and calls that change their month are posted as adjustments.",
            yes=yes,
        )
        with working("Making the rollups anew"):
            realign_hours(client, new, whole_days(kept_retention(client, target)))
            write_zone(client, target.database, new)
            migrate(client, replace(target, zone=new))
            if target.kind == "embedded":
                settle(client)
    typer.echo(f"This ledger reports in {new} now, history too.")
