"""Runs the demo: the vendor, the embedded collector, the application as a process of its own, then the report."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from spanledger_collector.demo.ledger import read_ledger_rows, read_rollup_totals, read_spend, read_verdicts
from spanledger_collector.demo.proof import compare
from spanledger_collector.demo.report import print_report
from spanledger_collector.demo.result import DemoResult, result_json
from spanledger_collector.demo.vendor import VendorServer
from spanledger_collector.exceptions import SpanledgerError
from spanledger_collector.server import EmbeddedServer

__all__ = ["run_demo"]

SERVICE: Final = "demo-company"
LATENCY_SECONDS: Final = 0.004
COMPLAINTS_SHOWN: Final = 5
# Settings of the user's shell that would lead the demo's application elsewhere.
FOREIGN_SETTINGS: Final = ("OTEL_", "SPANLEDGER_", "OPENAI_", "ANTHROPIC_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def run_demo(
    *, calls: int, seed: int, store: Path, as_json: bool, keep: bool, console: Console, store_stays: bool = True
) -> int:
    """Run the demo into a store; return 0 when the proof holds, else 1.

    With `as_json` stdout gets one JSON object and the progress goes to stderr. With `keep` the ledger is served
    afterwards until Ctrl-C. `store_stays` says whether the caller leaves the store behind: what to try next needs it.
    """
    progress_console = Console(stderr=True) if as_json else console
    with ExitStack() as stack:
        with progress_display(progress_console) as progress:
            vendor = stack.enter_context(VendorServer(latency_seconds=LATENCY_SECONDS))
            with step(progress, "Starting the collector"):
                server = EmbeddedServer(store=store, otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0)
                stack.enter_context(server)
            option = f"--store {shlex.quote(str(store))}" if store_stays else ""
            if keep:
                option = f"--clickhouse {server.clickhouse_url}"
            result = run(calls, seed, vendor=vendor, server=server, progress=progress, ledger_option=option)
        if as_json:
            sys.stdout.write(json.dumps(result_json(result), indent=2) + "\n")
            sys.stdout.flush()
        else:
            print_report(console, result)
        if keep:
            serve(server, progress_console)
    return 0 if result.proof.equal else 1


def serve(server: EmbeddedServer, console: Console) -> None:
    """Say where the ledger is served, and wait for Ctrl-C."""
    console.print(f"Look at it in a browser: [bold]{server.clickhouse_url}/overview[/bold]")
    console.print(f"Serving the ledger at {server.clickhouse_url}, OTLP at {server.otlp_http_url}. Ctrl-C ends it.")
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def run(
    calls: int, seed: int, *, vendor: VendorServer, server: EmbeddedServer, progress: Progress, ledger_option: str
) -> DemoResult:
    """Return what the run found out; raises SpanledgerError when the application fails."""
    started = datetime.now(UTC)
    environment = f"demo-{started:%Y%m%dT%H%M%S}"
    done = work(calls, seed, vendor.url, application_settings(server.otlp_http_url, environment), progress)
    with step(progress, "Letting the ledger settle"):
        server.settle()
    with closing(server.database.client()) as client:
        rows = read_ledger_rows(client, environment)
        calls_usd, rollup_usd = read_rollup_totals(client)
        return DemoResult(
            calls=done["calls"],
            seed=seed,
            seconds=done["seconds"],
            errors=done["errors"],
            spend=read_spend(client),
            rows=rows,
            verdicts=read_verdicts(client, SERVICE, started),
            proof=compare(vendor.bill, rows, calls_usd=calls_usd, rollup_usd=rollup_usd),
            ledger_option=ledger_option,
        )


@contextmanager
def step(progress: Progress, description: str) -> Iterator[None]:
    """Show a step of unknown length while it lasts."""
    task = progress.add_task(description, total=None)
    yield
    progress.remove_task(task)


def progress_display(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True)


def application_settings(otlp_url: str, environment: str) -> dict[str, str]:
    """Return the environment of the application: what any service sets to report here."""
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith(FOREIGN_SETTINGS)}
    return {
        **inherited,
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_url,
        "OTEL_SERVICE_NAME": SERVICE,
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name={environment}",
    }


def work(calls: int, seed: int, vendor_url: str, settings: dict[str, str], progress: Progress) -> dict[str, Any]:
    """Run the application to its end, showing its progress; return what it reports at the end."""
    task = progress.add_task("Calling models", total=calls)
    done: dict[str, Any] = {}
    with application(calls, seed, vendor_url, settings, progress.console) as lines:
        for line in lines:
            progress.update(task, completed=line["calls"])
            done = line
    if done.get("event") != "done":
        raise SpanledgerError("the demo's application ended without a report; run it again to see whether that repeats")
    return done


@contextmanager
def application(
    calls: int, seed: int, vendor_url: str, settings: dict[str, str], console: Console, *, incident: str = ""
) -> Iterator[Iterator[dict[str, Any]]]:
    """Start the application and give the lines that it prints; raises SpanledgerError when it fails."""
    module = "spanledger_collector.demo.application"
    command = [sys.executable, "-m", module, "--calls", str(calls), "--seed", str(seed), "--vendor", vendor_url]
    command += ["--incident", incident] if incident else []
    with (
        tempfile.TemporaryFile("w+") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=settings) as process,
    ):
        try:
            yield (json.loads(line) for line in process.stdout or ())
            exit_code = process.wait()
        finally:
            process.kill()
        stderr.seek(0)
        complaints = stderr.read().strip().splitlines()
    if exit_code:
        reason = complaints[-1] if complaints else "it did not say why"
        raise SpanledgerError(f"the demo's application failed with exit code {exit_code}: {reason}")
    for complaint in complaints[:COMPLAINTS_SHOWN]:
        console.print(f"[dim]the application says: {escape(complaint)}[/dim]")
