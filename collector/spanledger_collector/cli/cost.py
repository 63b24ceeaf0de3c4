"""`spanledger cost`: what the money went to."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading
from spanledger_collector.cli.show import Column, as_json, at_least, console, fits, money, print_table
from spanledger_collector.cli.statements import statement
from spanledger_collector.exceptions import UsageError

__all__ = ["cost"]

_WIDE: Final = (
    "team", "feature", "tenant", "service", "environment", "task", "agent", "agent_step", "provider", "model",
    "operation", "service_tier", "completeness", "hour", "day",
)  # fmt: skip
_ACTORS: Final = ("user", "session", "tenant", "hour", "day")
_TIMES: Final = {"hour": "toStartOfHour(bucket)", "day": "toDate(bucket)"}
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
_MINUTES_REACH: Final = timedelta(hours=1)  # the seam is two hours ago, on the hour
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def cost(
    by: Annotated[
        str,
        typer.Option(
            "--by", help="Dimensions, comma separated: team, feature, tenant, user, session, agent, task, model, ..."
        ),
    ] = "team",
    since: Annotated[
        str, typer.Option("--since", help="How far back: 30m, 24h, 7d, 4w, or a date such as 2026-11-01.")
    ] = "7d",
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many rows, the dearest first.")
    ] = 50,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Show what LLM calls cost, by any dimensions. Unknown cost is counted and shown, never taken for 0."""
    dimensions = _dimensions(by)
    source = "actor_costs" if {"user", "session"} & set(dimensions) else "costs"
    columns = [f"{_TIMES.get(name, name)} as {name}" for name in dimensions]
    sql = (
        statement(f"cost_from_{source}")
        .replace("{dimensions}", ", ".join(columns))
        .replace("{names}", ", ".join(dimensions))
    )
    start = _start(since, datetime.now(UTC))
    with reading(store, clickhouse) as client:
        result = client.query(sql, {"since": int(start.timestamp()), "limit": limit})
        rows = [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]
    if json:
        typer.echo(as_json([_for_programs(row) for row in rows]))
        if rows and (left := rows[0]["rows_in_all"] - len(rows)):
            typer.echo(f"{left:,} more rows are not printed; --limit prints more.", err=True)
    else:
        _print(dimensions, rows, start)


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


def _start(since: str, now: datetime) -> datetime:
    """Return when to begin, in UTC; further back than the rollup of minutes reaches, on the hour."""
    match = _AGO.fullmatch(since.strip())
    try:
        start = now - timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else datetime.fromisoformat(since.strip())
        start = start.astimezone(UTC) if start.tzinfo else start.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--since: {since!r} is neither a time back (30m, 24h, 7d, 4w) nor a date (2026-11-01)."
        ) from error
    start = max(start, _EPOCH)
    if start > now:
        raise UsageError(f"--since: {since} is in the future.")
    return start.replace(minute=0, second=0, microsecond=0) if now - start > _MINUTES_REACH else start


def _for_programs(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in row.items()
        if not name.endswith("_in_all")
    }


def _print(dimensions: list[str], rows: list[dict[str, Any]], since: datetime) -> None:
    screen = console()
    moment = f"{since:%Y-%m-%d %H:%M} UTC"
    if not rows:
        screen.print(f"No calls since {moment}.", soft_wrap=True)
        return
    screen.print(f"Cost by {', '.join(dimensions)} since {moment}", style="bold", soft_wrap=True)
    total = {name: rows[0][f"{name}_in_all"] for name in _FIGURES}
    shown = [name for name in _FIGURES if name != "unknown_calls" or total[name]]
    columns = [Column(name, name) for name in dimensions]
    columns += [Column(name, _FIGURES[name], is_number=True) for name in shown]
    cells = [_tags(dimensions, row) | _figures(row) for row in rows]
    sums = dict.fromkeys(dimensions, "") | {dimensions[0]: "total"} | _figures(total)
    if not fits(screen, columns, [*cells, sums]):
        cells = [cell | _short_tokens(row) for cell, row in zip(cells, rows, strict=True)]
        sums |= _short_tokens(total)
    print_table(screen, columns, cells, sums)
    for note in _notes(rows, int(total["unknown_calls"])):
        screen.print(note, soft_wrap=True)


def _notes(rows: list[dict[str, Any]], unknown_calls: int) -> Iterator[str]:
    if unknown_calls:
        yield "≥: a lower bound, because the cost of some calls is unknown; --by completeness says why."
    if left := rows[0]["rows_in_all"] - len(rows):
        yield f"{left:,} more rows are not shown; the total is that of all rows. --limit shows more."


def _tags(dimensions: list[str], row: dict[str, Any]) -> dict[str, str]:
    return {name: str(row[name]) if row[name] != "" else "(none)" for name in dimensions}


def _figures(row: Mapping[str, Any]) -> dict[str, str]:
    unknown = int(row["unknown_calls"])
    counts = {name: f"{int(row[name]):,}" for name in ("calls", *_TOKENS)}
    amount = at_least(row["known_usd"]) if unknown else money(row["known_usd"])
    return {**counts, "known_usd": amount, "unknown_calls": f"{unknown:,}" if unknown else ""}


def _short_tokens(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: _short(int(row[name])) for name in _TOKENS}


def _short(count: int) -> str:
    for unit, size in _SIZES.items():
        if count >= size:
            return f"{count / size:,.1f}{unit}"
    return str(count)
