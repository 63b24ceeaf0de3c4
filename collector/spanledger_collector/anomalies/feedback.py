"""What people tell detection: that an incident was expected or real, and what is planned."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.anomalies.places import Place, statement
from spanledger_collector.exceptions import UsageError

__all__ = ["Event", "cancel", "plan", "planned", "say"]

_VERDICTS: Final = ("expected", "real", "")
_DIMENSIONS: Final = ("all", "tenant", "team", "feature", "model", "user")


@dataclass(frozen=True)
class Event:
    """What is expected to cost more for a time: everything, or what has this value in one dimension."""

    event_id: str
    starts_at: datetime
    ends_at: datetime
    dimension: str
    name: str
    note: str
    planned_by: str

    @property
    def place(self) -> Place:
        """What it concerns."""
        return Place(**({self.dimension: self.name} if self.name else {}))


def say(client: Client, incident_id: str, verdict: str, *, said_by: str, note: str = "") -> None:
    """Keep what somebody says of an incident: expected, real, or nothing (taken back); UsageError where there is no such incident."""
    if verdict not in _VERDICTS:
        raise UsageError(f"{verdict!r} is no verdict: say expected or real.")
    if not client.query(statement("has_incident"), {"incident": incident_id}).result_rows[0][0]:
        raise UsageError(f"There is no incident {incident_id}. `spanledger anomalies list` shows them.")
    client.insert(
        "incident_feedback",
        [[incident_id, verdict, note, said_by]],
        column_names=["incident_id", "verdict", "note", "said_by"],
    )


def plan(
    client: Client,
    starts_at: datetime,
    ends_at: datetime,
    dimension: str,
    name: str,
    *,
    planned_by: str,
    note: str = "",
) -> Event:
    """Keep a planned event and return it; UsageError when it ends before it starts or concerns nothing."""
    if ends_at <= starts_at:
        raise UsageError(f"The event ends ({ends_at:%F %R}) before it starts ({starts_at:%F %R}).")
    if dimension not in _DIMENSIONS or (dimension == "all") != (not name):
        raise UsageError(
            f"Say what the event concerns: one of {', '.join(_DIMENSIONS[1:])} with its value, or nothing for everything."
        )
    key = f"{starts_at.isoformat()} {ends_at.isoformat()} {dimension} {name}"
    event = Event(sha256(key.encode()).hexdigest()[:12], starts_at, ends_at, dimension, name, note, planned_by)
    _write(client, event, cancelled=False)
    return event


def cancel(client: Client, event_id: str) -> Event:
    """Call a planned event off and return it; UsageError where there is none."""
    event = next((event for event in _events(client) if event.event_id == event_id), None)
    if event is None:
        raise UsageError(f"There is no planned event {event_id}. `spanledger anomalies plan` lists them.")
    _write(client, event, cancelled=True)
    return event


def planned(client: Client, at: datetime | None = None) -> list[Event]:
    """Return the events that go on at a time, or all that are not over (None)."""
    now = datetime.now(UTC)
    return [
        event for event in _events(client) if (event.starts_at <= at < event.ends_at if at else event.ends_at > now)
    ]


def _events(client: Client) -> Sequence[Event]:
    rows = client.query(statement("planned")).result_rows
    return [Event(row[0], row[1].replace(tzinfo=UTC), row[2].replace(tzinfo=UTC), *row[3:]) for row in rows]


def _write(client: Client, event: Event, *, cancelled: bool) -> None:
    values = [
        event.event_id,
        event.starts_at,
        event.ends_at,
        event.dimension,
        event.name,
        event.note,
        event.planned_by,
        int(cancelled),
    ]
    names = ["event_id", "starts_at", "ends_at", "dimension", "name", "note", "planned_by", "cancelled"]
    client.insert("planned_events", [values], column_names=names)
