"""`spanledger alerts`: what fires, who has not been told, and whether receivers can be told at all."""

import time
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from spanledger_collector.alerting.book import Alert, Book
from spanledger_collector.alerting.rules import RULES, WATCHDOG
from spanledger_collector.alerting.sending import SendError, send
from spanledger_collector.alerting.thresholds import THRESHOLDS, own_thresholds, write_threshold
from spanledger_collector.alerting.watcher import BOOK
from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading, server_of, store_path, writing
from spanledger_collector.cli.show import Column, as_json, console, print_table
from spanledger_collector.cli.watch import BookFile, book_of
from spanledger_collector.cli.watching import Alertmanager, Receivers, Webhook, receivers_of
from spanledger_collector.exceptions import StoreError, UsageError
from spanledger_collector.suggestions import did_you_mean

__all__ = ["app"]

app = typer.Typer(help="See what fires and who was told; set when rules fire.", no_args_is_help=True)

_TEST_LIFETIME_SECONDS = 60.0


@app.command("list", short_help="List what fires, and who could not be told.")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Also what was resolved in the last week.")] = False,
    json: Json = False,
    book: BookFile = None,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """List what fires now, and what waits because its receiver cannot be told."""
    opened = Book(_existing(book, store, clickhouse))
    try:
        alerts = opened.alerts() + (opened.alerts(resolved=True) if all_ else [])
        waiting = [place for place in opened.waiting() if place.failures]
    finally:
        opened.close()
    if json:
        typer.echo(
            as_json({"alerts": [vars(alert) for alert in alerts], "waiting": [vars(place) for place in waiting]})
        )
        return
    shown = [_row(alert) for alert in alerts if alert.rule != WATCHDOG.name]
    if shown:
        columns = [Column(name, name) for name in ("alert", "severity", "since", "resolved", "summary")]
        print_table(console(), [column for column in columns if column.key != "resolved" or all_], shown)
    else:
        console().print("Nothing fires.")
    console().print(_watchdog(alerts))
    for place in waiting:
        console().print(
            f"{place.receiver} has not been told of {place.alerts} alerts; {place.failures} attempts failed, the last: {place.reason}",
            soft_wrap=True,
        )


@app.command("test", short_help="Send every receiver a test.")
def send_test(
    receivers: Receivers = None,
    alertmanager: Alertmanager = None,
    webhook: Webhook = None,
) -> None:
    """Send every receiver an alert that says it is a test, and say what each answered. Exit code 1 when one failed."""
    told = receivers_of(receivers, alertmanager, webhook)
    if not told:
        raise UsageError("Nobody would be told: give --receivers, --alertmanager or --webhook.")
    now = time.time()
    labels = {"severity": "info"}
    texts = {"summary": "This is a test of spanledger's alerts.", "impact": "None.", "action": "Nothing is to be done."}
    alert = Alert(0, "SpanledgerTest", labels, texts, 1, now, now, None, 1)
    failed = False
    for receiver in told:
        try:
            list(send(receiver, [alert], now, _TEST_LIFETIME_SECONDS))
        except SendError as error:
            failed = True
            typer.echo(f"{receiver.name}: {error}")
        else:
            typer.echo(f"{receiver.name}: told.")
    if failed:
        raise typer.Exit(1)


@app.command("thresholds", short_help="Show when the rules fire, or set it.")
def thresholds(
    name: Annotated[str | None, typer.Argument(help="Threshold; all when left out.", show_default=False)] = None,
    number: Annotated[float | None, typer.Argument(help="The number of your own.", show_default=False)] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="Take the shipped number again.")] = False,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Show at which numbers the rules fire, or set one. It is kept with the ledger and holds for Grafana's rules too."""
    if name is not None and name not in THRESHOLDS:
        hint = did_you_mean(name, list(THRESHOLDS), "`spanledger alerts thresholds` lists them.")
        raise UsageError(f"{name!r} is no threshold. {hint}")
    if shipped and (name is None or number is not None):
        raise UsageError("--shipped needs the name of one threshold, and no number.")
    if name is not None and number is not None:
        it = THRESHOLDS[name]
        if not 0 < number <= it.most:
            raise UsageError(
                f"{_number(number)} is no number for {name} ({it.says}): give one above 0, up to {_number(float(it.most))}."
            )
    if name is not None and (shipped or number is not None):
        with writing(store, clickhouse, "alerts thresholds") as database, closing(database.client()) as client:
            write_threshold(client, name, number)
    with reading(store, clickhouse) as client:
        own = own_thresholds(client)
    rows = [
        {"threshold": each, "number": own.get(each, float(it.value)), "shipped": float(it.value), "says": it.says}
        for each, it in THRESHOLDS.items()
        if name in {None, each}
    ]
    if json:
        typer.echo(as_json(rows))
        return
    columns = [Column(key, key, is_number=key in {"number", "shipped"}) for key in rows[0]]
    print_table(
        console(),
        columns,
        [{key: _number(it) if isinstance(it, float) else str(it) for key, it in row.items()} for row in rows],
    )


@app.command("rules", short_help="List the rules and their runbooks.")
def rules(json: Json = False) -> None:
    """List the rules: what each tells when it fires, with its values in the braces. --json adds what it asks the ledger."""
    if json:
        known = ("name", "severity", "summary", "impact", "cause", "action", "runbook", "holds_minutes", "doubles")
        typer.echo(
            as_json(
                [
                    {name: getattr(rule, name) for name in known} | {"sql": rule.sql if rule.query else ""}
                    for rule in RULES
                ]
            )
        )
        return
    rows = [
        {"rule": rule.name, "severity": rule.severity, "tells": rule.summary, "runbook": rule.runbook} for rule in RULES
    ]
    print_table(console(), [Column(name, name) for name in ("rule", "severity", "tells", "runbook")], rows)


def _existing(book: Path | None, store: Path | None, clickhouse: str | None) -> Path:
    """Return the book of the ledger: that of the process that serves it, else that of `spanledger watch`."""
    if clickhouse:
        server_of(store, clickhouse)  # says that they are two ledgers, where both are given
    places = (
        [book]
        if book
        else [book_of(clickhouse)]
        if clickhouse
        else [store_path(store) / BOOK, book_of(str(store_path(store)))]
    )
    found = [place for place in places if place.is_file()]
    if not found:
        raise StoreError(f"There is no book of alerts at {places[0]}: `spanledger up` or `spanledger watch` keeps it.")
    return max(found, key=lambda place: place.stat().st_mtime)


def _row(alert: Alert) -> dict[str, str]:
    return {
        "alert": alert.rule,
        "severity": alert.labels.get("severity", ""),
        "since": _time(alert.fired_at),
        "resolved": _time(alert.resolved_at) if alert.resolved_at else "",
        "summary": alert.annotations.get("summary", ""),
    }


def _watchdog(alerts: list[Alert]) -> str:
    seen = [alert.seen_at for alert in alerts if alert.rule == WATCHDOG.name and not alert.is_resolved]
    return f"The last look at the ledger was at {_time(seen[0])}." if seen else "Nobody has looked at the ledger yet."


def _number(number: float) -> str:
    """Return a number as it was given: all its digits, and no exponent."""
    return f"{Decimal(repr(number)):,f}".removesuffix(".0").lower()  # nan is what people typed


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%F %T} UTC"
