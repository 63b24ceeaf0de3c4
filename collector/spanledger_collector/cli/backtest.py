"""`spanledger backtest`: what a preset would have told of in the ledger's own past."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from spanledger_collector.anomalies import PRESETS, Episode
from spanledger_collector.anomalies import backtest as replayed
from spanledger_collector.anomalies.signals import sum_buckets
from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, writing
from spanledger_collector.cli.cost import start_of
from spanledger_collector.cli.show import Column, as_json, console, print_table, working
from spanledger_collector.exceptions import UsageError

__all__ = ["backtest"]

_Preset = Annotated[
    str, typer.Option("--preset", help="quiet, balanced or sensitive.", show_default="all three, counted")
]


def backtest(
    preset: _Preset = "",
    since: Annotated[
        str,
        typer.Option(
            "--since", help="How far back: 24h, 14d, or a date such as 2026-11-01. The nine days before are needed too."
        ),
    ] = "14d",
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Show which incidents the presets would have told of, before one is switched on. Changes no incident."""
    if preset and preset not in PRESETS:
        raise UsageError(f"--preset: {preset!r} is none. There are: {', '.join(PRESETS)}.")
    now = datetime.now(UTC)
    begin = start_of(since, now)
    begin = begin if begin.tzinfo else begin.replace(tzinfo=UTC)
    with writing(store, clickhouse, "spanledger backtest") as database, closing(database.client()) as client:
        with working("Summing the past"):
            sum_buckets(client)
        found = {}
        for name in (preset,) if preset else PRESETS:
            with working(f"Replaying the past through {name}"):
                found[name] = replayed(client, begin, now, name)
    if json:
        typer.echo(
            as_json({name: [_for_programs(episode) for episode in episodes] for name, episodes in found.items()})
        )
    elif preset:
        _print_one(preset, found[preset], since)
    else:
        _print_all(found, since)


def _for_programs(episode: Episode) -> dict[str, Any]:
    place = {name: value for name, value in episode.place.parameters().items() if value}
    return {
        "started_at": episode.started_at.isoformat(),
        "ended_at": episode.ended_at.isoformat(),
        "place": place,
        "rules": list(episode.rules),
        "excess_usd": f"{episode.excess_usd:.6f}",
        "series": episode.series,
    }


def _print_one(preset: str, episodes: list[Episode], since: str) -> None:
    screen = console()
    if not episodes:
        screen.print(f"{preset} would have told of nothing in {since}.", soft_wrap=True)
        return
    columns = [Column("started", "started (UTC)"), Column("hours", "hours", is_number=True), Column("place", "where")]
    columns += [Column("rules", "rules"), Column("usd", "USD too much", is_number=True)]
    rows = [
        {
            "started": f"{episode.started_at:%F %R}",
            "hours": f"{(episode.ended_at - episode.started_at).total_seconds() / 3600:.1f}",
            "place": str(episode.place),
            "rules": ", ".join(episode.rules),
            "usd": f"{episode.excess_usd:,.2f}",
        }
        for episode in episodes
    ]
    print_table(screen, columns, rows)


def _print_all(found: dict[str, list[Episode]], since: str) -> None:
    columns = [
        Column("preset", "preset"),
        Column("told", f"told in {since}", is_number=True),
        Column("usd", "USD too much", is_number=True),
        Column("largest", "the dearest"),
    ]
    rows = [
        {
            "preset": name,
            "told": f"{len(episodes)}",
            "usd": f"{sum(episode.excess_usd for episode in episodes):,.2f}",
            "largest": "; ".join(str(episode.place) for episode in sorted(episodes, key=_dearest)[:3]),
        }
        for name, episodes in found.items()
    ]
    print_table(console(), columns, rows)


def _dearest(episode: Episode) -> float:
    return -episode.excess_usd
