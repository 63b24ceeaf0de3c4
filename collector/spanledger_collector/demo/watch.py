"""`spanledger demo --incident`: a quiet week is replayed, then real clients run into trouble, and on-call is told."""

import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from spanledger_collector.alerting.book import Book
from spanledger_collector.alerting.receivers import Receiver, receiver_of
from spanledger_collector.alerting.texts import Links
from spanledger_collector.alerting.watcher import BOOK, Watcher, Watching
from spanledger_collector.demo.habits import CHAT, QUIET, live_jobs
from spanledger_collector.demo.history import history
from spanledger_collector.demo.receiving import OnCall
from spanledger_collector.demo.result import own_command
from spanledger_collector.demo.runner import (
    LATENCY_SECONDS,
    SERVICE,
    application,
    application_settings,
    progress_display,
    serve,
    step,
)
from spanledger_collector.demo.vendor import VendorServer
from spanledger_collector.exceptions import SpanledgerError
from spanledger_collector.receiver.commit import Item
from spanledger_collector.server import EmbeddedServer

__all__ = ["run_incident"]

DAYS: Final = 8
LOOK_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 180.0
QUIET_SECONDS: Final = 40.0
# Ten times what the vendor's list says: a slip in the decimal point.
SLIP: Final = ("--price", "input=12.5", "--price", "output=100")
SHOWN: Final = (
    "summary",
    "cause",
    "impact",
    "since",
    "drivers",
    "explained_by",
    "calls",
    "deploy",
    "action",
    "traces",
    "runbook_url",
    "dashboard_url",
)


def run_incident(
    incident: str, *, seed: int, store: Path, alertmanager: str | None, keep: bool, console: Console
) -> int:
    """Run one incident into a store; return 0 when on-call was told of it, or when nothing was to be told and nobody was."""
    receivers: list[Receiver] = [receiver_of("alertmanager", alertmanager)] if alertmanager else []
    with ExitStack() as stack:
        oncall = stack.enter_context(OnCall())
        watching = Watching(LOOK_SECONDS, [receiver_of("webhook", oncall.url), *receivers])
        with progress_display(console) as progress:
            vendor = stack.enter_context(VendorServer(latency_seconds=LATENCY_SECONDS))
            environment = f"demo-{datetime.now(UTC):%Y%m%dT%H%M%S}"
            with step(progress, "Starting the collector"):
                server = EmbeddedServer(store, otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0)
                stack.enter_context(server)
            past(server, environment, seed, progress)
            with step(progress, "Looking at the quiet week"):
                watcher, early = watched(stack, server, store, watching, oncall)
            if incident == "wrong-price":
                with step(progress, "Setting a price with a slip in the decimal point"):
                    mistype(store)
            started = time.monotonic()
            live(incident, seed, vendor.url, application_settings(server.otlp_http_url, environment), progress)
            with step(progress, "Waiting for what on-call is told"):
                told = oncall.wait(PATIENCE_SECONDS if incident != QUIET else QUIET_SECONDS, since=started)
                have_all_told(watcher, receivers)
        report(console, incident, [*early, *told], time.monotonic() - started)
        if keep:
            serve(server, console)
        elif told:
            kept = f"{own_command()} anomalies list --store {shlex.quote(str(store))}"
            console.print(
                f"\nThe links end with this process; --keep serves on. The ledger stays:  [bold]{escape(kept)}[/bold]",
                soft_wrap=True,
            )
    return 0 if bool(told) == (incident != QUIET) and not early else 1


def watched(
    stack: ExitStack, server: EmbeddedServer, store: Path, watching: Watching, oncall: OnCall
) -> tuple[Watcher, list[dict[str, Any]]]:
    """Watch from now on, as `spanledger up` does; return the watcher, and what on-call was told of the week before."""
    links = Links(page=server.clickhouse_url)
    watcher = stack.enter_context(Watcher(server.database, Book(store / BOOK), replace(watching, links=links)))
    end = time.monotonic() + PATIENCE_SECONDS
    while not watcher.book.alerts() and time.monotonic() < end:  # the watchdog is the first
        time.sleep(0.1)
    return watcher, oncall.wait(2.0, since=0)


def have_all_told(watcher: Watcher, receivers: Sequence[Receiver]) -> None:
    """Wait until the other receivers know what on-call knows: each is told in its own time."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and any(
        watcher.book.due(it.name, time.time(), rules=it.rules, resend_seconds=None, hold_seconds=PATIENCE_SECONDS)
        for it in receivers
    ):
        time.sleep(0.1)


def past(server: EmbeddedServer, environment: str, seed: int, progress: Progress) -> None:
    """Replay the quiet week, as `spanledger replay` would; nobody watches yet."""
    requests = list(history(SERVICE, environment, days=DAYS, until=time.time() - 1, seed=seed))
    task = progress.add_task(f"Replaying {DAYS} quiet days", total=len(requests))
    taken = [server.committer.take(Item(request)) for request in requests]
    for future in taken:
        future.result()
        progress.advance(task)
    server.settle()
    progress.remove_task(task)


def mistype(store: Path) -> None:
    """Set a price wrongly from now on, with the command that its owner would use."""
    now = datetime.now(UTC)
    quarter = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    model = [CHAT.vendor, CHAT.model]
    command = [
        sys.executable,
        "-m",
        "spanledger_collector",
        "prices",
        "set",
        *model,
        *SLIP,
        "--from",
        f"{quarter:%FT%TZ}",
    ]
    done = subprocess.run([*command, "--yes", "--store", str(store)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SpanledgerError(f"the demo could not set a price: {done.stderr.strip() or done.stdout.strip()}")


def live(incident: str, seed: int, vendor_url: str, settings: dict[str, str], progress: Progress) -> None:
    """Run the application to its end."""
    calls = sum(len(job.calls) for job in live_jobs(incident, seed))
    task = progress.add_task("Calling models", total=calls)
    with application(calls, seed, vendor_url, settings, progress.console, incident=incident) as lines:
        for line in lines:
            progress.update(task, completed=line["calls"])
    progress.remove_task(task)


def report(console: Console, incident: str, alerts: Sequence[dict[str, Any]], seconds: float) -> None:
    """Print what on-call was told, as it reads it."""
    if not alerts:
        sentence = (
            "Nobody was woken."
            if incident == QUIET
            else f"On-call was told nothing in {seconds:.0f} s: that should not be."
        )
        console.print(sentence)
        return
    console.print(
        f"Told {seconds:.0f} s after the first call went wrong:"
        if incident != QUIET
        else "On-call was woken for nothing:"
    )
    for alert in alerts:
        labels, texts = alert["labels"], alert["annotations"]
        console.print(f"\n[bold]{labels['severity'].upper()} {labels['alertname']}[/bold]")
        for name in SHOWN:
            if name in texts:
                console.print(f"  {name:<14}{escape(texts[name])}", soft_wrap=True)
