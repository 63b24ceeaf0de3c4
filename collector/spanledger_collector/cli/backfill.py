"""`spanledger backfill`: spans that are in ClickHouse already, into the ledger."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, writing
from spanledger_collector.cli.show import as_json
from spanledger_collector.cli.statements import statement
from spanledger_collector.database import is_embedded
from spanledger_collector.exceptions import InputError, UsageError
from spanledger_collector.prices.tables import as_utc
from spanledger_collector.refresh import judge, settle
from spanledger_collector.refusals import refusal
from spanledger_collector.retention import kept_retention, whole_days

__all__ = ["Reading", "backfill", "plan", "read_hours"]

_OWN: Final = "otel_traces"
_TABLE: Final = re.compile(r"(?:[A-Za-z_]\w*\.)?[A-Za-z_]\w*")
_DONE: Final = datetime.fromtimestamp(0, UTC)
# What a span must have, and what stands in where an older table has no such column.
_REQUIRED: Final = ("Timestamp", "TraceId", "SpanId", "SpanAttributes")
_STAND_INS: Final[Mapping[str, str]] = {
    "Timestamp": "",
    "TraceId": "",
    "SpanId": "",
    "ParentSpanId": "''",
    "SpanName": "''",
    "SpanKind": "''",
    "ServiceName": "ResourceAttributes['service.name']",
    "ResourceAttributes": "map('', '')",
    "ScopeName": "''",
    "ScopeVersion": "''",
    "SpanAttributes": "",
    "Duration": "toUInt64(0)",
    "StatusCode": "''",
    "StatusMessage": "''",
}
_FORMS: Final[Mapping[str, str]] = {
    "TraceId": "lower(TraceId)",
    "SpanId": "lower(SpanId)",
    "ParentSpanId": "lower(ParentSpanId)",
    "Duration": "toUInt64(greatest(Duration, 0))",
    # older exporters write STATUS_CODE_ERROR
    "StatusCode": "if(endsWith(upper(StatusCode), 'ERROR'), 'Error', 'Ok')",
}


@dataclass(frozen=True)
class Reading:
    """What is to be read: the hours of a table with their spans, without those that this reading has behind it."""

    table: str
    generation: int
    hours: Sequence[tuple[datetime, int]]
    done_hours: int
    done_spans: int

    @property
    def spans(self) -> int:
        """Spans that are left to read."""
        return sum(spans for _, spans in self.hours)


def backfill(
    from_table: Annotated[
        str,
        typer.Option(
            "--from-table", help="Table in the schema of the OpenTelemetry clickhouse exporter: db.otel_traces."
        ),
    ] = _OWN,
    since: Annotated[
        str | None, typer.Option("--since", help="First day, such as 2026-01-31.", show_default="all")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Day to end before.", show_default="now")] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Read what was read before once more: after names or rules changed. The new reading wins."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Read spans that are in ClickHouse already into the ledger: another collector's history, or the own landing once more.

    Hour by hour; one that was stopped goes on where it was, and nothing is counted twice. For files there is `spanledger replay`.
    """
    if not _TABLE.fullmatch(from_table):
        raise UsageError(f"--from-table: {from_table!r} is no table's name; write otel_traces or database.otel_traces.")
    now = datetime.now(UTC)
    with writing(store, clickhouse, "spanledger backfill") as database, closing(database.client()) as client:
        oldest = now - timedelta(days=whole_days(kept_retention(client, database.target)) - 1)
        start, end = _day("--since", since) or oldest, _day("--until", until) or now
        reading = plan(client, from_table, max(start, oldest), end, again=again)
        if not dry_run:
            read_hours(client, reading)
            if is_embedded(client):
                _judge(client)
    _report(reading, oldest if start < oldest else None, dry_run=dry_run, json=json)


def plan(client: Client, table: str, since: datetime, until: datetime, *, again: bool) -> Reading:
    """Return what is left to read of a table; raises InputError when it is no table of spans."""
    _columns(client, table)  # says what is wrong with the table before anything else does
    sql = statement("backfill_hours").replace("{table}", table)
    found = client.query(sql, {"since": int(since.timestamp()), "until": int(until.timestamp())}).result_rows
    rows = client.query(
        "select generation, hour, spans from backfills final where source = {table:String}", {"table": table}
    ).result_rows
    generation = max((int(row[0]) for row in rows), default=0)
    if again and any(row[0] == generation and as_utc(row[1]) == _DONE for row in rows):
        generation += 1  # else the last one was stopped, and goes on
    elif again:
        generation = max(generation, 1)
    read = {as_utc(hour): spans for number, hour, spans in rows if number == generation or not again}
    left = [(as_utc(hour), int(spans)) for hour, spans in found if read.get(as_utc(hour)) != spans]
    return Reading(
        table, generation, left, len(found) - len(left), sum(int(row[1]) for row in found) - sum(s for _, s in left)
    )


def read_hours(client: Client, reading: Reading) -> None:
    """Read hour by hour; each is recorded when it is done."""
    sql = (
        statement("backfill_hour")
        .replace("{table}", reading.table)
        .replace("{columns}", _columns(client, reading.table))
    )
    with _progress("Reading hours", len(reading.hours)) as advance:
        for hour, spans in reading.hours:
            client.command(sql, {"hour": int(hour.timestamp()), "generation": reading.generation})
            _record(client, reading, hour, spans)
            advance(1)
    _record(client, reading, _DONE, reading.spans)


def _record(client: Client, reading: Reading, hour: datetime, spans: int) -> None:
    client.insert(
        "backfills",
        [[reading.table, reading.generation, hour, spans]],
        column_names=["source", "generation", "hour", "spans"],
    )


def _judge(client: Client) -> None:
    waiting = int(client.query("select traces from election_lag").result_rows[0][0])
    with _progress("Judging traces", waiting) as advance:
        judge(client, advance)
    settle(client)


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, nothing elsewhere; gives what moves it on."""
    screen = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda steps: progress.advance(task, steps)


def _columns(client: Client, table: str) -> str:
    """Return the select list that brings a table's columns to those of the landing."""
    try:
        types = {str(row[0]): str(row[1]) for row in client.query(f"describe table {table}").result_rows}
    except ClickHouseError as error:
        raise InputError(f"--from-table: {table} cannot be read. {refusal(error)}") from error
    missing = [name for name in _REQUIRED if name not in types]
    if missing:
        raise InputError(
            f"--from-table: {table} has no column {', '.join(missing)}; it is not in the schema of the OpenTelemetry clickhouse exporter."
        )
    for name in ("SpanAttributes", "ResourceAttributes"):
        if not types.get(name, "Map").startswith("Map"):
            raise InputError(
                f"--from-table: {name} of {table} is {types[name]}, and only Map is read. Copy it into a table with "
                "Map(LowCardinality(String), String) columns first."
            )
    return ", ".join(
        f"{_FORMS.get(name, name) if name in types else stand_in} as {name}" for name, stand_in in _STAND_INS.items()
    )


def _day(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"{option}: {text!r} is no date; write 2026-01-31.") from error
    return as_utc(moment)


def _report(reading: Reading, oldest: datetime | None, *, dry_run: bool, json: bool) -> None:
    figures = {
        "table": reading.table,
        "reading": reading.generation,
        "hours": len(reading.hours),
        "spans": reading.spans,
        "hours_read_before": reading.done_hours,
        "spans_read_before": reading.done_spans,
        "dry_run": dry_run,
    }
    if json:
        typer.echo(as_json(figures))
        return
    verb = "would be read" if dry_run else "read"
    typer.echo(f"{reading.spans:,} spans of {len(reading.hours):,} hours of {reading.table} {verb}.")
    if reading.done_hours:
        typer.echo(f"{reading.done_spans:,} spans of {reading.done_hours:,} hours were read before.")
    if oldest:
        typer.echo(f"Spans before {oldest:%Y-%m-%d} are left out: calls are not kept that long.")
