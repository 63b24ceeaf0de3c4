"""The command line: one file per command. Exit codes: 0 ok, 1 failed, 2 wrong usage."""

import logging
import os
import sys

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.console import Console

from spanledger_collector.cli import cost, demo, migrate, prices, query, replay, up
from spanledger_collector.exceptions import SpanledgerError, UsageError

__all__ = ["app", "run"]

app = typer.Typer(
    name="spanledger",
    help="Tells where the money for LLM calls goes, from OpenTelemetry spans.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("up")(up.up)
app.command("migrate")(migrate.migrate)
app.command("replay")(replay.replay)
app.command("query")(query.query)
app.command("cost")(cost.cost)
app.add_typer(prices.app, name="prices")


def run() -> None:
    """Run a command; an error of ours is one sentence on standard error."""
    logging.basicConfig(
        level=os.environ.get("SPANLEDGER_LOG_LEVEL", "WARNING").upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        app()
    except UsageError as error:
        _fail(str(error), 2)
    except SpanledgerError as error:
        _fail(str(error), 1)
    except ClickHouseError as error:
        _fail(f"The database refused: {error}", 1)
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing more can be said to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _fail(sentence: str, code: int) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(sentence, style="red", markup=False)
    sys.exit(code)
