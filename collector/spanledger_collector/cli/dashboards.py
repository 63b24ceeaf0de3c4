"""`spanledger dashboards`: build the dashboards' files, put them into a Grafana, see that their queries work."""

import statistics
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from spanledger_collector.cli.access import ClickHouseUrl, Store, reading
from spanledger_collector.exceptions import SpanledgerError, UsageError
from spanledger_collector.panels.check import Ran, run_queries
from spanledger_collector.panels.grafana import build_all, written
from spanledger_collector.panels.schema import faults_of

__all__ = ["app"]

app = typer.Typer(help="Build Grafana's dashboards, push them, check their queries.", no_args_is_help=True)

_DAY_SECONDS: Final = 86_400


@app.command("build", short_help="Write a JSON file per dashboard.")
def build(
    to: Annotated[Path, typer.Option("--to", help="Folder to write the JSON files into.")] = Path("dashboards"),
) -> None:
    """Write one JSON file per dashboard, for Grafana's provisioning or import."""
    if not to.is_dir():
        raise UsageError(f"There is no folder {to}: make it, or name another with --to.")
    for name, dashboard in build_all().items():
        (to / name).write_text(written(dashboard), "utf-8")
        typer.echo(f"{to / name}")


@app.command("push", short_help="Put the dashboards into a Grafana.")
def push(
    url: Annotated[str, typer.Option("--url", envvar="SPANLEDGER_GRAFANA_URL", help="Where Grafana is.")],
    token: Annotated[
        str, typer.Option("--token", envvar="SPANLEDGER_GRAFANA_TOKEN", help="Token of a service account, role Editor.")
    ],
) -> None:
    """Put the dashboards into a Grafana, in a folder of their own. Nothing else there is touched; a second time changes nothing."""
    try:
        from spanledger_collector.panels import push as pushing  # noqa: PLC0415 - what it imports is an extra
    except ImportError as error:
        raise SpanledgerError(
            "Pushing needs grafana-client, which is not installed: pip install 'spanledger[grafana]'"
        ) from error
    for uid, outcome in pushing.push(url, token):
        typer.echo(f"{outcome:<9}  {uid}")


@app.command("check", short_help="Run each query on a ledger.")
def check(
    days: Annotated[
        float, typer.Option("--days", min=0.01, help="Time range of the queries: the last so many days.")
    ] = 30,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Check the dashboards' JSON, and run each of their queries against a ledger."""
    faults = [f"{name}: {fault}" for name, dashboard in build_all().items() for fault in faults_of(dashboard)]
    with reading(store, clickhouse) as client:
        ran = list(run_queries(client, int(days * _DAY_SECONDS)))
    faults += [f"{each.name}: {each.fault}" for each in ran if each.fault]
    screen = Console(stderr=True, highlight=False, soft_wrap=True)
    for fault in faults:
        screen.print(fault, style="red", markup=False)
    typer.echo(_sentence(ran, len(faults)))
    sys.exit(1 if faults else 0)


def _sentence(ran: list[Ran], faults: int) -> str:
    times = sorted(each.milliseconds for each in ran)
    slowest = max(ran, key=lambda each: each.milliseconds)
    p95 = statistics.quantiles(times, n=20)[-1]
    quick = f"95 of 100 took at most {p95:.0f} ms"
    return f"{len(ran)} queries, {faults} faults; {quick}, {slowest.name} longest: {slowest.milliseconds:.0f} ms."
