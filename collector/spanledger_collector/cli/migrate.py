"""`spanledger migrate`: schema and price book up to date."""

import contextlib
from typing import Annotated

import typer

from spanledger_collector.cli.access import ClickHouseUrl, Store, opened

__all__ = ["migrate"]


_Again = Annotated[
    bool,
    typer.Option(
        "--again", help="Make all views and dictionaries once more, as after a new password of the user of the URL."
    ),
]


def migrate(store: Store = None, clickhouse: ClickHouseUrl = None, again: _Again = False) -> None:
    """Create the ledger or bring its schema and price book up to date; safe to run again, and after a failure."""
    with (
        opened(store, clickhouse, "spanledger migrate", again=again) as database,
        contextlib.closing(database.client()) as client,
    ):
        version, count = client.query("select max(number % 1000), count() from schema_migrations final").result_rows[0]
        book, source, rates = client.query(
            "select b.book, b.source_version, (select count() from rates final) from price_books as b final order by b.book desc limit 1"
        ).result_rows[0]
    typer.echo(
        f"Schema {version:03} ({count} migrations applied). Price book {book}: genai-prices {source}, {rates} rates."
    )
