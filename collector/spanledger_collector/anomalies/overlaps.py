"""How much of what happens in one place happens in another, too: what is one incident and what are two."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.anomalies.analysis import Window, change
from spanledger_collector.anomalies.places import Place, statement

__all__ = ["SHARED", "Overlaps"]

SHARED: Final = 0.5
"""With so much of what changed in an incident's place a signal is part of it."""
_OF_USER: Final = 0.25  # of a user's money: with so much in a feature he is one of those whom its incident concerns
_CALLS: Final = timedelta(days=1)  # as far back as single calls are asked
_STEP: Final = timedelta(minutes=10)


class Overlaps:
    """What places share until a moment; each is asked for once."""

    def __init__(self, client: Client, until: datetime) -> None:
        self._client, self._until = client, until
        self._users: dict[Place, dict[tuple[str, str], float]] = {}
        self._impacts: dict[tuple[Place, datetime], Decimal] = {}

    def share(self, place: Place, other: Place, started: datetime) -> float:
        """Return which share of what changed in a place since a moment is in another: above 1 where the rest fell."""
        if place.conflicts(other):
            return 0.0
        if place.inside(other):
            return 1.0
        if place.user and not other.user:
            return float(self._has_user(place, other, started))
        both = other.within(place)
        both = both.of_user if both.user else both
        if both == place:
            return 1.0
        whole = self._impact(place, started)
        return float(self._impact(both, started) / whole) if whole else 0.0

    def _impact(self, place: Place, started: datetime) -> Decimal:
        """Return how much more than usual a place costs since a moment; several rules ask for the same."""
        if (place, started) not in self._impacts:
            window = Window(min(started, self._until - _STEP), self._until)
            self._impacts[place, started] = change(self._client, place, window, by_ratio=False).impact_usd
        return self._impacts[place, started]

    def _has_user(self, place: Place, other: Place, started: datetime) -> bool:
        """Tell whether an incident elsewhere concerns a user; one of whom no call is known is not told of apart."""
        if other not in self._users:
            window = Window(max(min(started, self._until - _STEP), self._until - _CALLS), self._until)
            rows = self._client.query(statement("users"), {**other.parameters(), **window.parameters()}).result_rows
            self._users[other] = {(str(tenant), str(user)): float(share) for tenant, user, share in rows}
        return self._users[other].get((place.tenant, place.user), 1.0) >= _OF_USER
