"""Asks the ledger why something costs more: how much, which driver, where, who, what changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.anomalies.incidents import DRIVERS
from spanledger_collector.anomalies.places import Place, statement

__all__ = ["Analysis", "Change", "Explanation", "Window", "analyse", "change", "explain"]

_NARROWS: Final = 0.75  # share of a change that a cell must explain for the incident to be about it
_LIFT_MIN: Final = 1e-3  # a cell that grew like all others explains nothing, though it may be nearly the whole
_ACTOR_SHARE: Final = 0.6


@dataclass(frozen=True)
class Window:
    """From when to when something is summed, and when the incident started: what is normal lies before that."""

    started: datetime
    until: datetime
    since: datetime | None = None

    def parameters(self) -> dict[str, int]:
        """Return what the statements of this folder bind."""
        moments = {"started": self.started, "since": self.since or self.started, "until": self.until}
        return {name: int(moment.timestamp()) for name, moment in moments.items()}


@dataclass(frozen=True)
class Change:
    """What a place cost in a window and should have cost; ``effects`` sum to ``impact_usd`` exactly.

    ``moved`` is near 1 where calls went from one model to another, near 0 where there only are more of some, or fewer.
    """

    actual_usd: Decimal
    expected_usd: Decimal
    impact_usd: Decimal
    calls: int
    effects: Mapping[str, Decimal]
    relative_error: float
    reference_days: int
    moved: float


@dataclass(frozen=True)
class Explanation:
    """A cell (``feature=support/chat``, or two of such), the share of the change in it, and how unlike the whole it grew."""

    cause: tuple[str, ...]
    share: float
    lift: float

    @property
    def text(self) -> str:
        """The cell in words."""
        return ", ".join(self.cause)


@dataclass(frozen=True)
class Analysis:
    """Everything that is known about why. ``scope`` is where the money is summed, ``place`` what it is about."""

    scope: Place
    place: Place
    session: str
    change: Change
    one: Explanation | None
    two: Explanation | None
    evidence: Mapping[str, Any]
    prompts: Mapping[str, Any]


def change(client: Client, place: Place, window: Window, *, by_ratio: bool) -> Change:
    """Return what a place cost, should have cost, and the difference by driver."""
    row = next(iter(client.query(statement("decompose"), _bound(place, window, by_ratio=by_ratio)).named_results()))
    effects = dict(zip(DRIVERS, row["effects"], strict=True))
    return Change(
        row["actual_usd"],
        row["expected_usd"],
        row["impact_usd"],
        int(row["calls"]),
        effects,
        float(row["relative_error"]),
        int(row["reference_days"]),
        float(row["moved"]),
    )


def explain(client: Client, place: Place, window: Window, *, by_ratio: bool) -> list[Explanation]:
    """Return the cells of one or two dimensions that explain half of the change or more, the best first."""
    rows = client.query(statement("explain"), _bound(place, window, by_ratio=by_ratio)).result_rows
    return [Explanation(tuple(cause), float(share), float(lift)) for cause, share, lift in rows]


def analyse(client: Client, place: Place, window: Window, *, by_ratio: bool) -> Analysis:
    """Return why a place costs more since the window's start."""
    found = explain(client, place, window, by_ratio=by_ratio)
    best = next((cell for cell in found if cell.lift >= _LIFT_MIN and cell.share >= _NARROWS), None)
    about = place.narrowed(best.cause) if best else place
    # Money is not narrowed to a model: what moved to a dearer one would look like more calls.
    scope = replace(about, provider=place.provider, model=place.model)
    scope = replace(scope, team="", feature="") if scope.user else scope
    evidence = _row(client, "evidence", _bound(scope, window, by_ratio=by_ratio))
    prompts = _row(client, "prompts", _bound(replace(scope, user=""), window, by_ratio=by_ratio))
    about = replace(about, user=about.user or (str(evidence["user"]) if evidence["user_share"] >= _ACTOR_SHARE else ""))
    if about.user and evidence["feature_share"] >= _NARROWS:
        about = replace(about, **{name: str(evidence[name]) for name in ("tenant", "team", "feature")})
    return Analysis(
        scope,
        about,
        str(evidence["session"]) if evidence["session_share"] >= _ACTOR_SHARE else "",
        change(client, scope, window, by_ratio=by_ratio),
        _first(found, 1),
        _first(found, 2),
        evidence,
        prompts,
    )


def _first(found: Sequence[Explanation], length: int) -> Explanation | None:
    return next((cell for cell in found if len(cell.cause) == length), None)


def _row(client: Client, name: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(client.query(statement(name), dict(parameters)).named_results()))


def _bound(place: Place, window: Window, *, by_ratio: bool) -> dict[str, Any]:
    return {**place.parameters(), **window.parameters(), "by_ratio": int(by_ratio)}
