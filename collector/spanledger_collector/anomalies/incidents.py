"""What is known of an incident, and where that is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.anomalies.places import Place, statement

__all__ = ["DRIVERS", "Incident", "read_incidents", "write_incidents"]

DRIVERS: Final = ("volume", "tokens_per_call", "mix", "cache", "unit_price")


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One incident as a pass saw it. Money in USD; ``effects`` sum to ``impact_usd``; times in UTC.

    ``place`` is what it is about, ``scope`` where its money is summed.
    """

    incident_id: str
    status: str = "open"
    started_at: datetime
    detected_at: datetime
    updated_at: datetime
    fired_at: datetime
    resolved_at: datetime | None = None
    rule: str
    driver: str = ""
    class_: str = ""
    severity: str = ""
    cause: str = ""
    series: tuple[int, ...]
    peak: float
    by_ratio: bool
    scope: Place
    place: Place
    session: str
    explained_by: str = ""
    explained_by_two: str = ""
    explained_share: float | None = None
    expected_usd: Decimal = Decimal(0)
    actual_usd: Decimal = Decimal(0)
    impact_usd: Decimal = Decimal(0)
    impact_usd_per_hour: Decimal = Decimal(0)
    first_impact_usd: Decimal = Decimal(0)
    effects: Mapping[str, Decimal] = field(default_factory=dict)
    calls: int = 0
    trace_ids: tuple[str, ...] = ()
    deploy: str = ""
    feedback: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.status == "open"


_TIMES: Final = ("started_at", "detected_at", "updated_at", "fired_at", "resolved_at")
_COLUMNS: Final = tuple(
    name
    for each in fields(Incident)
    if each.name != "feedback"
    for name in ((each.name,) if each.name != "place" else tuple(asdict(Place())))
)


def read_incidents(client: Client, now: datetime) -> list[Incident]:
    """Return the incidents of the last 30 days, with what people said of them, newest first."""
    rows = client.query(statement("known_incidents"), {"now": int(now.timestamp())}).named_results()
    return [_incident(row) for row in rows]


def write_incidents(client: Client, incidents: Sequence[Incident]) -> None:
    """Keep incidents as they are now."""
    if incidents:
        names = ["class" if name == "class_" else name for name in _COLUMNS]
        client.insert("incidents", [_row(incident) for incident in incidents], column_names=names)


def _row(incident: Incident) -> list[Any]:
    values: dict[str, Any] = {each.name: getattr(incident, each.name) for each in fields(Incident)}
    values |= asdict(incident.place) | {
        "scope": tuple(asdict(incident.scope).values()),
        "by_ratio": int(incident.by_ratio),
        "effects": dict(incident.effects),
    }
    values |= {"series": list(incident.series), "trace_ids": list(incident.trace_ids)}
    return [values[name] for name in _COLUMNS]


def _incident(row: Mapping[str, Any]) -> Incident:
    values = dict(row)
    place = Place(**{name: str(values.pop(name)) for name in asdict(Place())})
    scope = values.pop("scope")
    times = {name: values[name].replace(tzinfo=UTC) if values[name] else None for name in _TIMES}
    values |= times | {
        "class_": values.pop("class"),
        "place": place,
        "scope": Place(**(scope if isinstance(scope, dict) else dict(zip(asdict(Place()), scope, strict=True)))),
    }
    values |= {
        "series": tuple(values["series"]),
        "trace_ids": tuple(values["trace_ids"]),
        "by_ratio": bool(values["by_ratio"]),
    }
    return Incident(**values)
