"""Which price vector is valid when, for whom, and for what size of call: the price book before it has rate numbers."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.meters import Prices

__all__ = [
    "DAY_MINUTES",
    "END",
    "START",
    "Candidate",
    "Key",
    "Segment",
    "Window",
    "candidates_of",
    "context_of",
    "joined",
    "on_quarter_hour",
    "repriced",
]

START: Final = datetime(1970, 1, 1, tzinfo=UTC)
END: Final = datetime(2106, 1, 1, tzinfo=UTC)
"""The span that ClickHouse's DateTime can hold, in whole years."""
DAY_MINUTES: Final = 1440
_QUARTER_HOUR_SECONDS: Final = 900


class Key(NamedTuple):
    """What a price is looked up by, besides time and size. Empty contract: everybody; empty context: standard."""

    contract: str
    provider: str
    model: str
    context: str


class Window(NamedTuple):
    """Minutes of the UTC day, end excluded, and the prices in them by threshold; the first threshold is 0."""

    from_minute: int
    to_minute: int
    tiers: tuple[tuple[int, Prices], ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Prices of calls with more than ``above_tokens`` input tokens (0: any) in some minutes of the UTC day."""

    above_tokens: int
    from_minute: int
    to_minute: int
    prices: Prices


@dataclass(frozen=True, slots=True)
class Segment:
    """One span of validity, end excluded. Of the candidates the last that matches a call applies."""

    key: Key
    valid_from: datetime
    valid_to: datetime
    candidates: tuple[Candidate, ...]
    source: str = "genai-prices"


def context_of(values: Mapping[str, str]) -> str:
    """Return a price context as the ledger writes it: ``key=value``, sorted, joined by commas; empty = standard."""
    return ",".join(f"{key}={value}" for key, value in sorted(values.items()))


def on_quarter_hour(who: str, at: datetime) -> datetime:
    """Return the time in UTC; PriceError when it has no zone, or is one at which no price can change."""
    if at.tzinfo is None:
        raise PriceError(f"{who}: {at.isoformat()} has no time zone. Write it with one, e.g. {at.isoformat()}+00:00.")
    at = at.astimezone(UTC)
    if at.timestamp() % _QUARTER_HOUR_SECONDS:
        raise PriceError(
            f"{who}: {at.isoformat()} is not on a quarter of an hour. "
            "Prices change at :00, :15, :30 or :45; choose the nearest."
        )
    return at


def candidates_of(windows: Iterable[Window]) -> tuple[Candidate, ...]:
    """Return the fewest candidates that say the same as the windows: no tier, no split that changes nothing."""
    thresholds: dict[int, list[Candidate]] = {}
    for window in sorted(windows):
        for above, prices in _steps(window.tiers):
            row = thresholds.setdefault(above, [])
            if row and row[-1].to_minute == window.from_minute and row[-1].prices == prices:
                row[-1] = Candidate(above, row[-1].from_minute, window.to_minute, prices)
            else:
                row.append(Candidate(above, window.from_minute, window.to_minute, prices))
    return tuple(candidate for _, row in sorted(thresholds.items()) for candidate in row)


def repriced(candidates: Sequence[Candidate], change: Callable[[Prices], Prices]) -> tuple[Candidate, ...]:
    """Return the candidates with other prices; those that became equal are one."""
    edges = sorted({edge for one in candidates for edge in (one.from_minute, one.to_minute)})
    return candidates_of(
        Window(start, end, tuple((one.above_tokens, change(one.prices)) for one in _covering(candidates, start)))
        for start, end in itertools.pairwise(edges)
    )


def joined(segments: Iterable[Segment]) -> list[Segment]:
    """Return the segments of one key in order of time, neighbours that say the same joined."""
    result: list[Segment] = []
    for one in sorted(segments, key=lambda segment: segment.valid_from):
        last = result[-1] if result else None
        if last and last.valid_to == one.valid_from and (last.candidates, last.source) == (one.candidates, one.source):
            result[-1] = Segment(last.key, last.valid_from, one.valid_to, last.candidates, last.source)
        else:
            result.append(one)
    return result


def _steps(tiers: Iterable[tuple[int, Prices]]) -> list[tuple[int, Prices]]:
    steps: list[tuple[int, Prices]] = []
    for above, prices in sorted(tiers, key=lambda tier: tier[0]):
        if not steps or steps[-1][1] != prices:
            steps.append((above, prices))
    return steps


def _covering(candidates: Sequence[Candidate], minute: int) -> list[Candidate]:
    return [one for one in candidates if one.from_minute <= minute < one.to_minute]
