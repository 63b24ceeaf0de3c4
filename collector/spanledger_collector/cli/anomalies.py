"""`spanledger anomalies`: incidents, why they are, what people say of them, what is planned."""

from collections.abc import Mapping
from contextlib import closing
from datetime import MAXYEAR, UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from spanledger_collector.anomalies import Event, cancel, plan, planned, say
from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading, writing
from spanledger_collector.cli.cost import start_of
from spanledger_collector.cli.presets import preset, thresholds
from spanledger_collector.cli.show import Column, as_json, console, money, print_table, user_name
from spanledger_collector.cli.statements import statement
from spanledger_collector.exceptions import UsageError

__all__ = ["app"]

app = typer.Typer(
    help="What costs more than it should, and why.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Incident = Annotated[str, typer.Argument(help="Id of the incident, or its first characters.")]
_Note = Annotated[str, typer.Option(help="Why, for others to read.")]
_Since = Annotated[
    str, typer.Option("--since", help="Those that went on then or later: 24h, 7d, or a date such as 2026-11-01.")
]
app.command("preset", short_help="Show or choose how easily detection tells.")(preset)
app.command("thresholds", short_help="Show the rules' thresholds, or set your own.")(thresholds)

_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_NAMES: Final = ("tenant", "team", "feature", "model", "user", "session")


@app.command("list", short_help="Show incidents, open ones first.")
def list_(since: _Since = "7d", json: Json = False, store: Store = None, clickhouse: ClickHouseUrl = None) -> None:
    """Show incidents, open ones first, then by what they cost too much."""
    with reading(store, clickhouse) as client:
        rows = list(client.query(statement("anomalies"), {"since": _unix(since), "incident": ""}).named_results())
    if json:
        typer.echo(as_json([_for_programs(row) for row in rows]))
        return
    screen = console()
    if not rows:
        screen.print(
            f"No incidents in {since}. `spanledger backtest` shows what each preset would have found.", soft_wrap=True
        )
        return
    columns = [Column("id", "id"), Column("state", "state"), Column("started", "started (UTC)"), Column("what", "what")]
    columns += [
        Column("impact", "USD", is_number=True),
        Column("rate", "USD/h", is_number=True),
        Column("cause", "cause"),
    ]
    print_table(screen, columns, [_cells(row) for row in rows])


@app.command(short_help="Tell all about one incident.")
def show(incident: _Incident, json: Json = False, store: Store = None, clickhouse: ClickHouseUrl = None) -> None:
    """Tell all about one incident: what, where, since when, by which driver, with example traces."""
    with reading(store, clickhouse) as client:
        row = _found(client, incident)
    if json:
        typer.echo(as_json(_for_programs(row)))
        return
    screen = console()
    for name, text in _told(row):
        screen.print(f"{name:>14}  {text}", soft_wrap=True)


@app.command(short_help="Say that an incident was expected, or real.")
def feedback(
    incident: _Incident,
    verdict: Annotated[
        str, typer.Argument(help="expected: no fault, do not tell again; real: a fault; none: take it back.")
    ],
    note: _Note = "",
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Say what an incident was. What was expected is told again only if it gets worse than it was."""
    word = "" if verdict == "none" else verdict
    with writing(store, clickhouse, "spanledger anomalies feedback") as database, closing(database.client()) as client:
        row = _found(client, incident)
        say(client, str(row["incident_id"]), word, said_by=user_name(), note=note)
    typer.echo(f"{row['incident_id']}: {word or 'no verdict'}.")


@app.command("plan", short_help="Say what is planned, so that it wakes nobody.")
def plan_(
    start: Annotated[
        str | None,
        typer.Argument(help="From when, for example 2026-11-27T18:00 (UTC).", show_default="list what is planned"),
    ] = None,
    hours: Annotated[float, typer.Option(help="How long.", min=0.1, max=8784)] = 24.0,
    tenant: Annotated[str, typer.Option(help="Only this tenant.")] = "",
    team: Annotated[str, typer.Option(help="Only this team.")] = "",
    feature: Annotated[str, typer.Option(help="Only this feature.")] = "",
    model: Annotated[str, typer.Option(help="Only this model.")] = "",
    user: Annotated[str, typer.Option(help="Only this user.")] = "",
    note: _Note = "",
    cancel_id: Annotated[str, typer.Option("--cancel", help="Call the event of this id off.")] = "",
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Plan an event in which costs may rise: a launch, a migration, a batch. Without a start, list what is planned."""
    if start is None and not cancel_id:
        with reading(store, clickhouse) as client:
            _print_events(planned(client), json=json)
        return
    given = {
        name: value
        for name, value in {"tenant": tenant, "team": team, "feature": feature, "model": model, "user": user}.items()
        if value
    }
    if len(given) > 1:
        raise UsageError(f"An event concerns one thing; you gave {', '.join(given)}. Plan one event for each.")
    dimension, name = next(iter(given.items()), ("all", ""))
    begins = _moment(start) if start else datetime.now(UTC)
    if not _EARLIEST <= begins <= _LATEST:
        raise UsageError(f"An event begins between {_EARLIEST:%F} and {_LATEST:%F}, not at {start}.")
    with writing(store, clickhouse, "spanledger anomalies plan") as database, closing(database.client()) as client:
        if cancel_id:
            event = cancel(client, cancel_id)
        else:
            event = plan(
                client, begins, begins + timedelta(hours=hours), dimension, name, planned_by=user_name(), note=note
            )
    typer.echo(f"{'Called off' if cancel_id else 'Planned'}: {_event(event)}")


def _found(client: Any, incident: str) -> dict[str, Any]:
    rows = list(client.query(statement("anomalies"), {"since": 0, "incident": incident}).named_results())
    if len(rows) != 1:
        raise UsageError(
            f"{len(rows) or 'No'} incidents begin with {incident!r}. `spanledger anomalies list` shows their ids."
        )
    return dict(rows[0])


def _unix(since: str) -> int:
    moment = start_of(since, datetime.now(UTC))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no time; write it as 2026-11-27T18:00.") from error
    # no moment of another zone before the first year or after the last can be written in UTC
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC) if 1 < moment.year < MAXYEAR else moment.replace(tzinfo=UTC)


def _for_programs(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() + "Z" if isinstance(value, datetime) else value for name, value in row.items()}


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "id": str(row["incident_id"]),
        "state": f"{row['status']}{', ' + row['feedback'] if row['feedback'] else ''}",
        "started": f"{row['started_at']:%F %R}",
        "what": f"{row['severity']}: {row['class']}",
        "impact": _short(row["impact_usd"]),
        "rate": _short(row["impact_usd_per_hour"]),
        "cause": str(row["cause"]),
    }


def _short(amount: Decimal) -> str:
    return money(amount, 2 if abs(amount) >= 1 else 6)


def _told(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    place = ", ".join(f"{name} {row[name]}" for name in _NAMES if row[name]) or "the whole ledger"
    effects = sorted(((name, usd) for name, usd in row["effects"].items() if usd), key=lambda item: -abs(item[1]))
    over = f"over {row['resolved_at']:%F %R}" if row["resolved_at"] else "goes on"
    state = ", ".join(text for text in (row["status"], row["severity"], row["class"], row["feedback"]) if text)
    money_ = f"{_short(row['impact_usd'])} USD: {_short(row['actual_usd'])} instead of {_short(row['expected_usd'])}"
    return [
        ("incident", f"{row['incident_id']}: {state}"),
        ("cause", str(row["cause"])),
        ("where", place),
        ("when", f"started {row['started_at']:%F %R}, found {row['detected_at']:%F %R}, {over} (UTC)"),
        ("impact", f"{money_}; {_short(row['impact_usd_per_hour'])} USD/h; {row['calls']:,} calls"),
        ("by driver", ", ".join(f"{name} {_short(usd)}" for name, usd in effects) or "none"),
        ("explained by", " / ".join(filter(None, (row["explained_by"], row["explained_by_two"]))) or "no dimension"),
        ("rule", f"{row['rule']}, driver {row['driver']}"),
        ("after", str(row["deploy"]) or "no deployment that is known"),
        ("traces", ", ".join(row["trace_ids"]) or "none kept"),
    ]


def _event(event: Event) -> str:
    what = f"{event.dimension} {event.name}" if event.name else "everything"
    return f"{event.event_id}  {event.starts_at:%F %R} to {event.ends_at:%F %R} UTC  {what}  {event.note}".rstrip()


def _print_events(events: list[Event], *, json: bool) -> None:
    if json:
        typer.echo(as_json([_for_programs(vars(event)) for event in events]))
    else:
        typer.echo("\n".join(_event(event) for event in events) or "Nothing is planned.")
