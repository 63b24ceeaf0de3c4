"""Every number at which an alert fires. The queries name them in braces; Grafana's rules and the embedded watcher read the same ones.

An owner's number (`spanledger alerts thresholds NAME NUMBER`) is a setting that the ledger keeps, so that it holds for all who ask.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from clickhouse_connect.driver.client import Client

__all__ = ["SETTING", "THRESHOLDS", "Threshold", "own_thresholds", "write_threshold"]

SETTING: Final = "alert_"
"""What the names of the ledger's settings begin with that are an owner's thresholds."""


@dataclass(frozen=True)
class Threshold:
    """A number at which an alert fires, as shipped; ``says`` what it counts, ``most`` the largest that makes sense."""

    value: float
    says: str
    most: float = 1e12

    @property
    def written(self) -> str:
        """The number as SQL and people read it."""
        return f"{self.value:g}" if self.value < 1e6 else f"{self.value:.0f}"


THRESHOLDS: Final[dict[str, Threshold]] = {
    # Spend that needs no history to be judged: a ledger that is new, a feature that is new. Far above what a team spends in an hour
    # without knowing it, far below the loop that ran over a weekend for 40,000 USD (660 USD an hour).
    "spend_usd_per_hour": Threshold(100, "USD of a feature of a team in an hour"),
    # A person who reads the answers spends cents an hour.
    "actor_usd_per_hour": Threshold(25, "USD of one user or session in an hour"),
    # A million tokens of input at the price of the dearest models in common use.
    "call_usd": Threshold(10, "USD of one call"),
    # A ledger with streams that never tell their usage is used to it.
    "unknown_share": Threshold(0.10, "part of an hour's calls whose cost is not known", 1),
    "unknown_growth": Threshold(2, "times that part of the week before"),
    # With fewer a share is chance.
    "unknown_calls_min": Threshold(30, "calls of an hour before such a part says anything"),
    "silent_minutes": Threshold(15, "minutes without a call of a service"),
    "silent_pauses": Threshold(3, "times its longest pause of the two days before"),
    # One with fewer has no rhythm that could be missed.
    "silent_active_minutes": Threshold(30, "minutes with calls before a service is missed", 2880),
    # price_book_status calls a list stale at the same age.
    "price_list_days": Threshold(30, "days since the ledger first used its price list"),
    # Less is somebody's try.
    "unpriced_tokens": Threshold(100_000, "tokens of a model without a price in a day"),
    # One or two may be a kill in the middle of an export.
    "lost_spans": Threshold(5, "numbered spans of a service that never came, in an hour"),
    "quarantined": Threshold(20, "spans or requests kept aside in a quarter of an hour"),
    # Sums and verdicts settle within seconds; after ten minutes nobody looks at the right numbers.
    "lag_seconds": Threshold(600, "seconds that sums or verdicts are behind"),
    # Merges need room for a copy of what they merge.
    "disk_free_share": Threshold(0.05, "part of the disk that is free", 1),
}


def own_thresholds(client: Client) -> dict[str, float]:
    """Return the owner's numbers that the ledger keeps."""
    asked = "select name, toFloat64OrNull(value) from settings final where startsWith(name, {prefix:String})"
    rows = client.query(asked, {"prefix": SETTING}).result_rows
    return {str(name).removeprefix(SETTING): number for name, number in rows if number is not None}


def write_threshold(client: Client, name: str, number: float | None) -> None:
    """Keep an owner's number with the ledger; None returns to the shipped one."""
    value = "" if number is None else repr(float(number))
    client.insert(
        "settings", [[SETTING + name, value, datetime.now(UTC)]], column_names=["name", "value", "changed_at"]
    )
