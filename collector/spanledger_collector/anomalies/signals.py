"""Sums the ten minutes that changed, keeps what is normal for each series, and tells which rules fire now."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.anomalies.places import Place, place_of_series, statement
from spanledger_collector.exceptions import UsageError
from spanledger_collector.refresh import refresh

__all__ = [
    "DIMENSIONS",
    "PRESETS",
    "PROOF_RULES",
    "STEP",
    "Signal",
    "Thresholds",
    "began",
    "chosen_preset",
    "compared",
    "confirmed",
    "days_of",
    "end_of",
    "parts_of",
    "read_thresholds",
    "signals_at",
    "sum_buckets",
]

PRESETS: Final = ("quiet", "balanced", "sensitive")
DIMENSIONS: Final = ("all", "tenant", "feature", "model", "user")
STEP: Final = 600
_HOUR: Final = 3600
_DAY: Final = 86400
_LOOK_BACK: Final = 6 * _HOUR  # what fired longer ago was another incident
_REFERENCE_DAYS: Final = 9
_REFERENCES_AT_ONCE: Final = (
    250  # arrays of nine days of so many series are in memory together: 0.1 to 0.4 GB; of 1,000 they took 1.7
)
_SERIES_AT_ONCE: Final = 1000  # of which one day is in memory together
_AT_ONCE: Final = 2.0  # a rule that is exceeded so many times waits for no second check
# These have no multiple, and wait for a second check.
_NEVER_AT_ONCE: Final = frozenset({"cache", "creep", "lost_traffic"})
PROOF_RULES: Final = frozenset({"repeats", "session", "huge_call", "prompt"})
"""Rules that are proof by themselves: one look is enough, and they are told of first."""


@dataclass(frozen=True)
class Signal:
    """A rule that fires for a series: by how much, since when, and about how much money in the rule's window.

    ``excess_usd`` is an estimate of statistics, to rank and to compare with the floor; the money of an incident is exact.
    """

    series: int
    dimension: str
    names: tuple[str, ...]
    rule: str
    value: float
    threshold: float
    excess_usd: float
    started_at: datetime
    days: float

    @property
    def place(self) -> Place:
        """Where it fires."""
        return place_of_series(self.dimension, self.names)

    @property
    def strength(self) -> float:
        """How many times the threshold is exceeded."""
        return self.value / self.threshold


@dataclass(frozen=True)
class Thresholds:
    """What a preset compares with: a threshold per rule, and the least money that is worth an incident."""

    preset: str
    rules: Mapping[str, float]
    floor_usd: float
    hourly_usd: float


def chosen_preset(client: Client) -> str:
    """Return the preset that the ledger's detection runs with."""
    return str(client.query(statement("chosen_preset")).result_rows[0][0])


def read_thresholds(client: Client, preset: str, now: datetime) -> Thresholds:
    """Return a preset's thresholds; UsageError when there is no such preset. The floor follows what was spent in 30 days."""
    found = {
        str(rule): float(value) for rule, value in client.query(statement("thresholds"), {"preset": preset}).result_rows
    }
    if preset not in PRESETS or not found:
        raise UsageError(f"{preset!r} is no preset. There are: {', '.join(PRESETS)}.")
    hourly = float(client.query(statement("hourly_spend"), {"now": int(now.timestamp())}).result_rows[0][0])
    share, least = found.pop("floor_share"), found.pop("floor_usd")
    return Thresholds(preset, found, max(least, share * 24 * hourly), hourly)


def sum_buckets(client: Client, patience: Callable[[], bool] = lambda: True) -> bool:
    """Bring spend_buckets up to date with the calls, slice after slice while ``patience`` says so; tell whether they are."""
    while patience():
        refresh(client, "spend_buckets_mv")
        if not client.query(statement("buckets_behind")).result_rows[0][0]:
            return True
    return False


def end_of(now: datetime) -> int:
    """Return the end of the ten minutes that go on, in seconds since 1970."""
    return (int(now.timestamp()) // STEP + 1) * STEP


def signals_at(client: Client, now: datetime, thresholds: Thresholds) -> list[Signal]:
    """Return what fires now and is confirmed, dearest first."""
    points = [end_of(now) - STEP, end_of(now)]
    _keep_references(client, points)
    shards = parts_of(client, points[-1], _SERIES_AT_ONCE)
    rows = [row for shard in range(shards) for row in compared(client, points, thresholds.rules, shard=(shard, shards))]
    found = [_signal(row, thresholds) for row in confirmed(rows, thresholds.rules, points[-1:])]
    return sorted(found, key=lambda signal: (-signal.excess_usd, signal.series, signal.rule))


def began(client: Client, signal: Signal, until: datetime) -> datetime:
    """Return since when a signal's series is out of line: the first of the ten minutes in its rule's window, or in the last 6 hours."""
    bound = {
        "series": signal.series,
        "rule": signal.rule,
        "started": min(int(signal.started_at.timestamp()), int(until.timestamp()) - _LOOK_BACK),
        "until": int(until.timestamp()),
    }
    rows = client.query(statement("began"), bound).result_rows
    return rows[0][0].replace(tzinfo=UTC) if rows else signal.started_at


def compared(
    client: Client,
    points: Sequence[int],
    rules: Mapping[str, float],
    *,
    shard: tuple[int, int],
    dimensions: Sequence[str] = DIMENSIONS,
    history: bool = False,
) -> list[dict[str, Any]]:
    """Return the rows of signals.sql at some points; ``history`` makes their references on the way, and keeps none."""
    sql = statement("signals")
    hours = sorted({(point - 1) // _HOUR * _HOUR for point in points})
    references = f"({statement('references')})" if history else "series_references"
    parameters = {
        "points": list(points),
        "buckets": (max(points) - min(points) + _DAY) // STEP,
        "dimensions": list(dimensions),
        "shard": shard[0],
        "shards": shard[1],
        "rules": list(rules),
        "thresholds": [float(value) for value in rules.values()],
    }
    if history:
        parameters |= {"hours": hours, "reference_buckets": _reference_buckets(hours)}
    return list(client.query(sql.replace("{references}", references), parameters).named_results())


def confirmed(
    rows: Iterable[Mapping[str, Any]], rules: Mapping[str, float], points: Iterable[int]
) -> list[Mapping[str, Any]]:
    """Return the rows at these points that need no second check, or passed it ten minutes before."""
    found = {(int(row["series"]), str(row["rule"]), _seconds(row["at"])): row for row in rows}
    wanted = set(points)
    return [
        row
        for (series, rule, at), row in found.items()
        if at in wanted
        and (
            rule in PROOF_RULES
            or (series, rule, at - STEP) in found
            or _is_plain(rule, float(row["value"]), rules[rule])
        )
    ]


def days_of(points: Sequence[int]) -> Iterator[list[int]]:
    """Yield points in days, each with the point before its first: what a second check needs."""
    for first in range(0, len(points), _DAY // STEP):
        yield list(points[max(first - 1, 0) : first + _DAY // STEP])


def _is_plain(rule: str, value: float, threshold: float) -> bool:
    return rule not in _NEVER_AT_ONCE and value > _AT_ONCE * threshold


def parts_of(client: Client, until: int, series_at_once: int) -> int:
    """Return into how many parts the series are cut, so that no more are in memory together."""
    count = int(client.query(statement("series_count"), {"until": until}).result_rows[0][0])
    return -(-count // series_at_once)


def _keep_references(client: Client, points: Sequence[int]) -> None:
    """Make what is normal for the hours of the points, where it is not made yet."""
    hours = sorted({(point - 1) // _HOUR * _HOUR for point in points})
    missing = [int(row[0]) for row in client.query(statement("missing_references"), {"hours": hours}).result_rows]
    shards = parts_of(client, max(hours), _REFERENCES_AT_ONCE) if missing else 0
    for hour in missing:
        for shard in range(shards):
            parameters = {
                "hours": [hour],
                "reference_buckets": _reference_buckets([hour]),
                "dimensions": list(DIMENSIONS),
                "shard": shard,
                "shards": shards,
            }
            client.command(
                statement("keep_references") + statement("references"),
                parameters,
            )


def _reference_buckets(hours: Sequence[int]) -> int:
    return (max(hours) - min(hours) + _REFERENCE_DAYS * _DAY) // STEP


def _signal(row: Mapping[str, Any], thresholds: Thresholds) -> Signal:
    rule = str(row["rule"])
    started = row["started_at"].replace(tzinfo=UTC)
    return Signal(
        int(row["series"]),
        str(row["dimension"]),
        tuple(row["names"]),
        rule,
        float(row["value"]),
        thresholds.rules[rule],
        float(row["excess_usd"]),
        started,
        float(row["days"]),
    )


def _seconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())
