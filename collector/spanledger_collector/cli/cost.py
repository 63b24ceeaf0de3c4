"""`spanledger cost`: what the money went to."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from clickhouse_connect.driver.client import Client

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, behind_since, reading
from spanledger_collector.cli.show import (
    Column,
    as_json,
    at_least,
    console,
    decimals,
    fits,
    money,
    named,
    print_csv,
    print_table,
)
from spanledger_collector.cli.statements import statement
from spanledger_collector.exceptions import UsageError
from spanledger_collector.zone import stored_zone

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["cost", "nothing", "start_of"]

_WIDE: Final = (
    "team", "feature", "tenant", "service", "environment", "task", "agent", "agent_step", "provider", "model",
    "operation", "service_tier", "completeness", "hour", "day", "week", "month",
)  # fmt: skip
_ACTORS: Final = ("user", "session", "tenant", "hour", "day", "week", "month")
# In the reporting zone; an hour says how far it is from UTC, because the one before the clocks go back comes twice.
_TIMES: Final = {
    "hour": "formatDateTime(toStartOfHour(bucket, {zone:String}), '%FT%R%z', {zone:String})",
    "day": "toDate(bucket, {zone:String})",
    "week": "toMonday(bucket, {zone:String})",
    "month": "formatDateTime(bucket, '%Y-%m', {zone:String})",
}
_AGO: Final = re.compile(r"(\d{1,6})([mhdw])")
_TOKENS: Final = ("input_tokens", "output_tokens")
_FIGURES: Final = {
    "calls": "calls",
    "input_tokens": "input tok.",
    "output_tokens": "output tok.",
    "known_usd": "USD",
    "unknown_calls": "unknown",
}
_SIZES: Final = {"G": 10**9, "M": 10**6, "k": 10**3}
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_AHEAD_OF_UTC: Final = timedelta(hours=14)  # no zone is further
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def cost(
    by: Annotated[
        str,
        typer.Option(
            "--by", help="Dimensions, comma separated: team, feature, tenant, user, session, agent, task, model, ..."
        ),
    ] = "team",
    since: Annotated[
        str,
        typer.Option(
            "--since", help="How far back: 30m, 24h, 7d, 4w, or a date such as 2026-11-01 in the reporting zone."
        ),
    ] = "7d",
    until: Annotated[
        str | None,
        typer.Option("--until", help="Where to end, in the same forms; that moment is not in it.", show_default="now"),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", min=1, max=1_000_000, help="At most so many rows, the dearest first; by time, the newest."
        ),
    ] = 50,
    json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV for spreadsheets.")] = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Show what LLM calls cost, by any dimensions. Unknown cost is counted and shown, never taken for 0."""
    if json and as_csv:
        raise UsageError("Give --json or --csv, not both.")
    now = datetime.now(UTC)
    dimensions, moment = _dimensions(by), start_of(since, now)
    last = start_of(until, now, "--until") if until else None
    with reading(store, clickhouse) as client:
        zone = stored_zone(client)
        start, shown = _moment(client, zone, moment)
        end, shown_end = _moment(client, zone, last) if last else (0, "")
        if last and end <= start:
            raise UsageError(f"--until: {until} is not after --since {since}.")
        span = f"{shown} until {shown_end}" if last else shown
        result = client.query(_sql(dimensions, end), {"since": start, "limit": limit, "zone": zone})
        rows = list(result.named_results())
        behind = behind_since(client)
        _tell_age(client)
    if json or as_csv:
        _print_for_programs(rows, None if json else result.column_names, behind)
    else:
        _print(dimensions, rows, f"{span} {zone}", waits=behind is not None)


def _tell_age(client: Client) -> None:
    age_days, is_stale = client.query("select list_age_days, stale from price_book_status").result_rows[0]
    if is_stale:
        typer.echo(
            f"The price list has been in use for {age_days} days: prices may have changed since. Install a newer genai-prices and run "
            "`spanledger prices update`.",
            err=True,
        )


def _print_for_programs(rows: list[dict[str, Any]], columns: Sequence[str] | None, behind: str | None) -> None:
    """Print CSV with the columns, or JSON where none are given."""
    printed = [_for_programs(row) for row in rows]
    if columns is None:
        typer.echo(as_json([row | {"behind_since": behind} for row in printed]))
    else:
        print_csv([name for name in columns if not name.endswith("_in_all")], printed)
    if rows and (left := rows[0]["rows_in_all"] - len(rows)):
        typer.echo(f"{left:,} more rows are not printed; --limit prints more.", err=True)


def _moment(client: Client, zone: str, at: datetime) -> tuple[int, str]:
    """Return a moment in seconds since 1970, and as the reporting zone's clocks show it."""
    asked = {"unix": int(at.replace(tzinfo=UTC).timestamp()), "local": "" if at.tzinfo else f"{at:%F %T}"}
    start, shown = client.query(statement("moment"), {"zone": zone, **asked}).result_rows[0]
    return int(start), shown


def _sql(dimensions: list[str], until: int = 0) -> str:
    source = "actor_costs" if {"user", "session"} & set(dimensions) else "costs"
    return (
        statement(f"cost_from_{source}")
        .replace("{dimensions}", ", ".join(f"{_TIMES.get(name, name)} as {name}" for name in dimensions))
        .replace("{names}", ", ".join(dimensions))
        .replace("{until}", f" and bucket < toStartOfMinute(toDateTime({until}, 'UTC'))" if until else "")
        .replace("{newest}", f"{dimensions[0]} desc, " if dimensions[0] in _TIMES else "")
    )


def _dimensions(by: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in by.split(",") if name.strip()))
    allowed = _ACTORS if {"user", "session"} & set(names) else _WIDE
    for name in names:
        if name not in {*_WIDE, *_ACTORS}:
            raise UsageError(f"--by: {name!r} is no dimension. There are: {', '.join(dict.fromkeys(_WIDE + _ACTORS))}.")
        if name not in allowed:
            raise UsageError(
                f"--by: {name!r} cannot be combined with user or session, which have a rollup of their own with {', '.join(_ACTORS)}. "
                'For single calls: spanledger query "select ... from calls group by ...".'
            )
    if not names:
        raise UsageError("--by: name at least one dimension, for example team,model.")
    return names


def start_of(since: str, now: datetime, option: str = "--since") -> datetime:
    """Return when to begin: in UTC, or without a zone if it was given without one, which means the reporting zone."""
    match = _AGO.fullmatch(since.strip())
    try:
        start = now - timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else datetime.fromisoformat(since.strip())
        start = start.astimezone(UTC) if start.tzinfo else start
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{option}: {since!r} is neither a time back (30m, 24h, 7d, 4w) nor a date (2026-11-01)."
        ) from error
    if option == "--since" and (start > now if start.tzinfo else start.replace(tzinfo=UTC) > now + _AHEAD_OF_UTC):
        raise UsageError(f"{option}: {since} is in the future.")
    return max(start, _EPOCH if start.tzinfo else _EPOCH.replace(tzinfo=None))


def _for_programs(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in row.items()
        if not name.endswith("_in_all")
    }


def nothing(since: str, *, waits: bool) -> str:
    """Return what is said where no call is in the sums; that some wait is no reason to think that none came."""
    return (
        f"No calls are summed yet since {since}. Some wait: ask again in a few seconds."
        if waits
        else f"No calls since {since}."
    )


def _print(dimensions: list[str], rows: list[dict[str, Any]], since: str, *, waits: bool) -> None:
    screen = console()
    if not rows:
        screen.print(nothing(since, waits=waits), soft_wrap=True)
        return
    screen.print(f"Cost by {', '.join(dimensions)} since {since}", style="bold", soft_wrap=True)
    total = {name: rows[0][f"{name}_in_all"] for name in _FIGURES}
    shown = [name for name in _FIGURES if name != "unknown_calls" or total[name]]
    columns = [Column(name, name) for name in dimensions]
    columns += [Column(name, _FIGURES[name], is_number=True) for name in shown]
    places = decimals(row["known_usd"] for row in (*rows, total))
    cells = [_tags(dimensions, row) | _figures(row, places) for row in rows]
    sums = dict.fromkeys(dimensions, "") | {dimensions[0]: "total"} | _figures(total, places)
    if not fits(screen, columns, [*cells, sums]):
        cells = [cell | _short_tokens(row) for cell, row in zip(cells, rows, strict=True)]
        sums |= _short_tokens(total)
    print_table(screen, columns, cells, sums)
    for note in _notes(rows, int(total["unknown_calls"])):
        screen.print(note, soft_wrap=True)


def _notes(rows: list[dict[str, Any]], unknown_calls: int) -> Iterator[str]:
    if unknown_calls:
        calls = int(rows[0]["calls_in_all"])
        yield (
            f"≥: a lower bound, because the cost of {unknown_calls:,} of {calls:,} calls ({_percent(unknown_calls, calls)}) is unknown; "
            "--by completeness says why."
        )
    if left := rows[0]["rows_in_all"] - len(rows):
        yield f"{left:,} more rows are not shown; the total is that of all rows. --limit shows more."


def _percent(part: int, whole: int) -> str:
    """Return a share that is never 0 % nor 100 % unless it is."""
    share = round(100 * part / whole, 1)
    return "less than 0.1 %" if share == 0 else "more than 99.9 %" if share == 100 and part != whole else f"{share:g} %"


def _tags(dimensions: list[str], row: dict[str, Any]) -> dict[str, str]:
    return {name: named(row[name], name) for name in dimensions}


def _figures(row: Mapping[str, Any], places: int) -> dict[str, str]:
    unknown = int(row["unknown_calls"])
    counts = {name: f"{int(row[name]):,}" for name in ("calls", *_TOKENS)}
    known_usd: Decimal = row["known_usd"]
    amount = at_least(known_usd, places) if unknown else money(known_usd, places)
    return {**counts, "known_usd": amount, "unknown_calls": f"{unknown:,}" if unknown else ""}


def _short_tokens(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: _short(int(row[name])) for name in _TOKENS}


def _short(count: int) -> str:
    for unit, size in _SIZES.items():
        if count >= size:
            return f"{count / size:,.1f}{unit}"
    return str(count)
