"""`spanledger access`: users of a ClickHouse server, what they may do and which rows they see."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanledger_collector.access import statements
from spanledger_collector.cli.access import ClickHouseUrl, server_target
from spanledger_collector.database import connect
from spanledger_collector.exceptions import QueryError, UsageError
from spanledger_collector.queries import read_users
from spanledger_collector.refusals import refusal

__all__ = ["access"]

_UsersFile = Annotated[
    Path,
    typer.Argument(
        help="File (mode 0600) with a line for each user: NAME PASSWORD and admin, writer, reader, reader TENANT or team TEAM.",
        show_default=False,
    ),
]
_Print = Annotated[bool, typer.Option("--print", help="Print the statements instead of running them.")]


def access(users: _UsersFile, clickhouse: ClickHouseUrl = None, print_: _Print = False) -> None:
    """Make the roles of a ledger on a ClickHouse server, and its users with row policies and quotas; run again, all is as the file says.

    Passwords go to the server as salted hashes. A user that is no longer in the file stays: DROP USER ends it.
    """
    listed = read_users(users, ("admin", "writer", "reader", "team"))
    if not clickhouse:
        raise UsageError(
            "Say with --clickhouse of which server: an embedded ledger has its users from `spanledger up --users`."
        )
    target = server_target(clickhouse)
    texts = list(statements(target, listed))
    if print_:
        typer.echo(";\n".join(texts) + ";")
        return
    with contextlib.closing(connect(clickhouse, target).bare_client()) as client:
        for number, text in enumerate(texts, 1):
            try:
                client.command(text)
            except ClickHouseError as error:
                raise QueryError(
                    f"Statement {number} of {len(texts)} failed: {refusal(error)} --print shows it. Mend the cause and run this again."
                ) from error
    typer.echo(f"{len(listed)} users of {target.database}: {', '.join(listed)}.")
