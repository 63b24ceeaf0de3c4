"""`spanledger cost`: what the money went to."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading
from spanledger_collector.cli.show import as_json, console, money
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
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many rows, the dearest first.")] = 50,
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
    with reading(store, clickhouse) as client:
        result = client.query(sql, {"since": int(_start(since, datetime.now(UTC)).timestamp()), "limit": limit})
        rows = [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]
    if json:
        typer.echo(as_json([_for_programs(row) for row in rows]))
    else:
        console().print(_table(dimensions, rows, since))


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
    match = _AGO.fullmatch(since.strip())
    try:
        if match:
            return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
        start = datetime.fromisoformat(since.strip())
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--since: {since!r} is neither a time back (30m, 24h, 7d, 4w) nor a date (2026-11-01)."
        ) from error
    return start if start.tzinfo else start.replace(tzinfo=UTC)


def _for_programs(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in row.items()
        if name != "rows_in_all"
    }


def _table(dimensions: list[str], rows: list[dict[str, Any]], since: str) -> Table:
    table = Table(title=f"Cost by {', '.join(dimensions)} since {since}", title_justify="left")
    for name in dimensions:
        table.add_column(name, overflow="fold")
    for name in ("calls", "input tokens", "output tokens", "cost USD", "unknown calls"):
        table.add_column(name, justify="right")
    for row in rows:
        tags = [str(row[name]) if row[name] != "" else "(not tagged)" for name in dimensions]
        table.add_row(*tags, *_figures(row))
    total = {
        name: sum((row[name] for row in rows), Decimal(0))
        for name in ("calls", "input_tokens", "output_tokens", "known_usd", "unknown_calls")
    }
    table.add_section()
    table.add_row("total", *[""] * (len(dimensions) - 1), *_figures(total), style="bold")
    left = rows[0]["rows_in_all"] - len(rows) if rows else 0
    notes = ["≥: a lower bound, because the cost of some calls is unknown."] if total["unknown_calls"] else []
    notes += (
        [f"{left} more rows are not shown; the total is that of the rows shown. --limit shows more."] if left else []
    )
    table.caption = " ".join(notes) if rows else "No calls in this time."
    return table


def _figures(row: dict[str, Any]) -> list[str]:
    unknown = int(row["unknown_calls"])
    tokens = [f"{int(row[name]):,}" for name in ("calls", "input_tokens", "output_tokens")]
    return [*tokens, ("≥ " if unknown else "") + money(row["known_usd"]), f"{unknown:,}" if unknown else ""]
