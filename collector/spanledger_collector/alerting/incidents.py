"""What an incident's alert says beyond its rule: its cause, its money, since when, the drivers, examples."""

from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.alerting.evaluation import usd

__all__ = ["Incidents"]

_DRIVERS: Final = {
    "volume": "more calls",
    "tokens_per_call": "more tokens a call",
    "mix": "dearer models",
    "cache": "less from the cache",
    "unit_price": "higher prices",
}
_SHOWN_SHARE: Final = Decimal("0.01")


class Incidents:
    """The incidents of a ledger as they are now: those that go on, and those that ended in the last day."""

    def __init__(self, client: Client) -> None:
        sql = files(__package__).joinpath("incident_details.sql").read_text("utf-8")
        self._rows = {str(row["incident_id"]): row for row in client.query(sql).named_results()}

    def texts(self, incident: str) -> dict[str, str]:
        """Return the annotations of an incident's alert; of one that is over, with its final impact. Empty: it is not known."""
        row = self._rows.get(incident)
        return _texts(row) if row else {}

    @property
    def over(self) -> dict[str, dict[str, str]]:
        """The annotations of those that ended, or that people called expected, by id."""
        return {name: _texts(row) for name, row in self._rows.items() if _is_over(row)}


def _is_over(row: Mapping[str, Any]) -> bool:
    return bool(row["status"] != "open" or row["feedback"] == "expected")


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    since = f"{row['started_at']:%F %H:%M} UTC"
    explained = row["explained_by_two"] or row["explained_by"]
    return {
        "cause": row["cause"],
        "impact": _impact(row),
        "since": since,
        "explained_by": explained,
        "drivers": _drivers(row["effects"]),
        "calls": f"{row['calls']:,}",
        "traces": ", ".join(row["trace_ids"]),
        "deploy": row["deploy"],
    }


def _impact(row: Mapping[str, Any]) -> str:
    impact = row["impact_usd"]
    more = "more" if impact >= 0 else "less"
    whole = f"{usd(abs(impact))} USD {more} than the {usd(row['expected_usd'])} USD expected"
    if _is_over(row):
        return f"{whole}; it is over."
    return f"{whole}; {usd(abs(row['impact_usd_per_hour']))} USD an hour now."


def _drivers(effects: Mapping[str, Decimal]) -> str:
    """Return what moved the cost, largest first, what is next to nothing left out."""
    least = _SHOWN_SHARE * max((abs(amount) for amount in effects.values()), default=Decimal(0))
    shown = sorted(
        (item for item in effects.items() if item[1] and abs(item[1]) >= least), key=lambda item: -abs(item[1])
    )
    return ", ".join(
        f"{_DRIVERS.get(name, name)} {'+' if amount > 0 else '-'}{usd(abs(amount))} USD" for name, amount in shown
    )
