"""The command line: one file per command. Exit codes: 0 ok, 1 failed, 2 wrong usage."""

import logging
import os
import sys
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.console import Console

from spanledger import __version__
from spanledger_collector.cli import (
    access_users,
    alerts,
    anomalies,
    backfill,
    backtest,
    backup,
    close,
    cost,
    dashboards,
    demo,
    doctor,
    explain,
    load,
    migrate,
    names,
    prices,
    quarantine,
    query,
    replay,
    retention,
    statement,
    up,
    watch,
    zone,
)
from spanledger_collector.exceptions import SpanledgerError, UsageError
from spanledger_collector.operations.logs import set_up_logging
from spanledger_collector.refusals import refusal

__all__ = ["app", "run"]

app = typer.Typer(
    name="spanledger",
    help="Tells where the money for LLM calls goes, from OpenTelemetry spans.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"spanledger {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """Tell where the money for LLM calls goes, from OpenTelemetry spans."""


# Short enough for one line in 80 columns; the help of each command says more.
app.command("demo", short_help="See it work: a company's calls, their cost, the proof.")(demo.demo)
app.command("up", short_help="Take OpenTelemetry data and keep the ledger, until Ctrl-C.")(up.up)
app.command("load", short_help="Send made-up calls and say what became of each.")(load.load)
app.command("migrate", short_help="Bring schema and price book up to date.")(migrate.migrate)
app.command("access", short_help="Make the users of a ClickHouse server.")(access_users.access)
app.command("replay", short_help="Put recorded OTLP files into the ledger.")(replay.replay)
app.command("backfill", short_help="Read spans that are in ClickHouse already.")(backfill.backfill)
app.command("query", short_help="Run SQL on the ledger, read only.")(query.query)
app.command("cost", short_help="Show what LLM calls cost, by any dimensions.")(cost.cost)
app.command("backtest", short_help="Show what each preset would have found.")(backtest.backtest)
app.command("close", short_help="Close a month: what is booked stays.")(close.close)
app.command("statement", short_help="Show what a month is charged, to the last digit.")(statement.statement)
app.command("zone", short_help="Show or change the reporting time zone.")(zone.zone)
app.command("retention", short_help="Show or change how long things are kept.")(retention.retention)
app.command("explain", short_help="Tell why a span bills or not, figure by figure.")(explain.explain)
app.command("backup", short_help="Copy a ledger, also while it is served.")(backup.backup)
app.command("restore", short_help="Make a ledger from a backup, and prove it.")(backup.restore)
app.command("doctor", short_help="Send a canary and say what is wrong, in words.")(doctor.doctor)
app.add_typer(anomalies.app, name="anomalies")
app.command("watch", short_help="Evaluate the alert rules, and tell receivers.")(watch.watch)
app.add_typer(alerts.app, name="alerts")
app.add_typer(dashboards.app, name="dashboards")
app.add_typer(prices.app, name="prices")
app.add_typer(names.app, name="names")
app.add_typer(quarantine.app, name="quarantine")

_log = logging.getLogger(__name__)


def run() -> None:
    """Run a command; an error is one sentence on standard error."""
    try:
        set_up_logging(os.environ.get("SPANLEDGER_LOG_LEVEL", ""), os.environ.get("SPANLEDGER_LOG_FORMAT", ""))
        app(prog_name="spanledger")
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing more can be said to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - a traceback tells a user nothing
        _log.debug("The command failed", exc_info=True)
        _fail(_sentence(error), 2 if isinstance(error, UsageError) else 1)


def _sentence(error: Exception) -> str:
    if isinstance(error, SpanledgerError):
        return str(error)
    if isinstance(error, ClickHouseError):
        return f"The database failed. {refusal(error)}"
    if isinstance(error, OSError):
        return f"The system failed: {error}."
    return f"This should not happen: {type(error).__name__}: {error}. SPANLEDGER_LOG_LEVEL=DEBUG shows where; please report it."


def _fail(sentence: str, code: int) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(sentence, style="red", markup=False)
    sys.exit(code)
