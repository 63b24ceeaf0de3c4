"""Replays a ledger's own history through a preset: what would have fired, and for how much."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.anomalies.places import Place, place_of_series
from spanledger_collector.anomalies.signals import (
    DIMENSIONS,
    STEP,
    compared,
    confirmed,
    days_of,
    end_of,
    parts_of,
    read_thresholds,
)

__all__ = ["Episode", "backtest", "episodes_of"]

_GAP: Final = 6 * 3600  # firings closer than that are one alert
_SERIES_AT_ONCE: Final = 150  # their arrays, once for each hour of a day, are in memory together: about 1 GB


@dataclass(frozen=True)
class Episode:
    """What would have been one incident: series that fired together, and the place of the dearest.

    ``excess_usd`` is the most that a rule saw too much in its window.
    """

    started_at: datetime
    ended_at: datetime
    place: Place
    rules: tuple[str, ...]
    excess_usd: float
    series: int


def backtest(
    client: Client, since: datetime, until: datetime, preset: str, on_part: Callable[[int, int], None] = lambda *_: None
) -> list[Episode]:
    """Return what a preset would have told of in a time, newest first; call after spend_buckets is up to date."""
    thresholds = read_thresholds(client, preset, until)
    points = list(range(end_of(since), end_of(until) + 1, STEP))
    shards = parts_of(client, points[-1], _SERIES_AT_ONCE)
    found: list[Mapping[str, Any]] = []
    parts = [(day, shard) for day in days_of(points) for shard in range(shards)]
    for number, (day, shard) in enumerate(parts):
        rows = compared(client, day, thresholds.rules, shard=(shard, shards), dimensions=DIMENSIONS, history=True)
        found += [
            row for row in confirmed(rows, thresholds.rules, day[1:]) if row["excess_usd"] >= thresholds.floor_usd
        ]
        on_part(number + 1, len(parts))
    return sorted(_together(episodes_of(found)), key=lambda episode: episode.started_at, reverse=True)


def episodes_of(rows: Iterable[Mapping[str, Any]], gap: int = _GAP) -> list[list[Mapping[str, Any]]]:
    """Return the firings of each series in episodes: those closer than a gap."""
    episodes: list[list[Mapping[str, Any]]] = []
    last: tuple[int, datetime] | None = None
    for row in sorted(rows, key=lambda row: (row["series"], row["at"])):
        is_new = last is None or last[0] != row["series"] or (row["at"] - last[1]).total_seconds() > gap
        if is_new:
            episodes.append([])
        episodes[-1].append(row)
        last = (row["series"], row["at"])
    return episodes


def _together(episodes: Sequence[list[Mapping[str, Any]]]) -> list[Episode]:
    """Return one episode for those that began within an hour of each other, told by the dearest."""
    groups: list[list[list[Mapping[str, Any]]]] = []
    for episode in sorted(episodes, key=lambda rows: rows[0]["at"]):
        if groups and (episode[0]["at"] - groups[-1][-1][0]["at"]).total_seconds() <= 3600:
            groups[-1].append(episode)
        else:
            groups.append([episode])
    return [_episode(group) for group in groups]


def _episode(group: Sequence[list[Mapping[str, Any]]]) -> Episode:
    rows = [row for episode in group for row in episode]
    top = max(rows, key=lambda row: (row["excess_usd"], row["dimension"] != "all"))
    return Episode(
        min(row["started_at"] for row in rows).replace(tzinfo=UTC),
        max(row["at"] for row in rows).replace(tzinfo=UTC),
        place_of_series(str(top["dimension"]), tuple(top["names"])),
        tuple(dict.fromkeys(str(row["rule"]) for row in sorted(rows, key=lambda row: row["at"]))),
        float(top["excess_usd"]),
        len(group),
    )
