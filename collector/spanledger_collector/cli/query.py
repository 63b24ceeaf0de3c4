"""`spanledger query`: SQL on the ledger, read only."""

import sys
from typing import Annotated

import typer
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanledger_collector.cli.access import ClickHouseUrl, Store, reading
from spanledger_collector.database import is_embedded
from spanledger_collector.exceptions import QueryError, UsageError
from spanledger_collector.queries.errors import RefusedError
from spanledger_collector.queries.gate import Gate
from spanledger_collector.refusals import refusal

__all__ = ["query"]


def query(
    sql: Annotated[str, typer.Argument(help="One statement: select, show, describe, explain.")],
    output: Annotated[
        str, typer.Option("--format", help="A ClickHouse output format: JSONEachRow, CSVWithNames, Parquet, ...")
    ] = "PrettyCompactMonoBlock",
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Run a SQL statement on the ledger's database and print the rows.

    Start with: select * from calls limit 10; show tables; describe calls.
    """
    if not sql.strip():
        raise UsageError("The statement is empty.")
    if not output.isalnum():
        raise UsageError(f"--format: {output!r} is not a format's name; JSONEachRow is one.")
    with reading(store, clickhouse) as client:
        try:
            rows = _rows(client, sql, output)
        except (ClickHouseError, RefusedError) as error:
            raise QueryError(f"The statement failed. {refusal(error)}") from error
    sys.stdout.buffer.write(rows)
    sys.stdout.flush()


def _rows(client: Client, sql: str, output: str) -> bytes:
    if not is_embedded(client):
        # The server at the other end decides what its user may do; our own endpoint only reads. The format goes beside the
        # statement: behind it, it would clash with a FORMAT clause and move what error messages point at.
        return client.raw_query(sql, transport_settings={"X-ClickHouse-Format": output})
    statement = Gate.of(client, str(client.database)).admit(client, sql, {})
    return client.raw_query(statement.text, fmt=None if statement.format else output)
