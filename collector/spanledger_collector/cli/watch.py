"""`spanledger watch`: evaluates the alert rules on a ledger and tells receivers, until Ctrl-C."""

import signal
import threading
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from spanledger_collector.alerting.book import Book
from spanledger_collector.alerting.watcher import Watcher
from spanledger_collector.cli.access import ClickHouseUrl, Store, server_of, store_path, writing
from spanledger_collector.cli.watching import (
    Alertmanager,
    AlertSeconds,
    GrafanaUrl,
    Receivers,
    RunbooksUrl,
    Webhook,
    receivers_of,
    watching_of,
)
from spanledger_collector.exceptions import UsageError

__all__ = ["BookFile", "book_of", "watch"]

BookFile = Annotated[
    Path | None,
    typer.Option(
        "--book", show_default="one for each ledger, in ~/.local/share", help="File that remembers who was told what."
    ),
]


def watch(
    alert_seconds: AlertSeconds = 60.0,
    receivers: Receivers = None,
    alertmanager: Alertmanager = None,
    webhook: Webhook = None,
    grafana: GrafanaUrl = "",
    runbooks: RunbooksUrl = "",
    book: BookFile = None,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Watch a ClickHouse server's ledger, or one that `spanledger up --no-alerts` serves, and tell receivers until Ctrl-C.

    Run one for each ledger: two would tell everything twice.
    """
    told = receivers_of(receivers, alertmanager, webhook)
    serving = server_of(store, clickhouse)
    page = serving.clickhouse_url if serving else ""
    watching = watching_of(alert_seconds, told, grafana=grafana, runbooks=runbooks, page=page)
    if not told:
        raise UsageError("Nobody would be told: give --receivers, --alertmanager or --webhook.")
    file = book or book_of(clickhouse or str(store_path(store)))
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with writing(store, clickhouse, "spanledger watch") as database, Watcher(database, Book(file), watching):
        typer.echo(f"Watching, and telling {', '.join(receiver.name for receiver in told)}. Ctrl-C ends it.", err=True)
        stop.wait()


def book_of(ledger: str) -> Path:
    """Return the file of the book for a ledger that this process does not hold, by its place."""
    digest = sha256(ledger.encode()).hexdigest()[:12]  # an URL may hold a password
    return store_path(None, "spanledger-watch") / f"{digest}.sqlite"
