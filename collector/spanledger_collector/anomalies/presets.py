"""What an owner sets: the preset that the ledger's detection runs with, and thresholds of his own."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.anomalies.places import statement
from spanledger_collector.anomalies.signals import PRESETS
from spanledger_collector.exceptions import UsageError

__all__ = ["Threshold", "all_thresholds", "choose_preset", "set_threshold"]

_TAKEN_BACK: Final = -1.0


@dataclass(frozen=True)
class Threshold:
    """What a rule is compared with in a preset: as shipped, and as the owner has set it (None: he has not)."""

    preset: str
    rule: str
    shipped: float
    own: float | None


def choose_preset(client: Client, preset: str) -> None:
    """Let detection run with a preset from its next pass on; UsageError when there is no such preset."""
    if preset not in PRESETS:
        raise UsageError(f"{preset!r} is no preset. There are: {', '.join(PRESETS)}.")
    row = ["anomaly_preset", preset, datetime.now(UTC)]
    client.insert("settings", [row], column_names=["name", "value", "changed_at"])


def all_thresholds(client: Client) -> list[Threshold]:
    """Return the thresholds of all presets, by rule."""
    return [Threshold(*row) for row in client.query(statement("all_thresholds")).result_rows]


def set_threshold(client: Client, preset: str, rule: str, value: float | None) -> None:
    """Set the owner's threshold of a rule, or take it back (None); UsageError when there is no such preset or rule."""
    known = {threshold.rule for threshold in all_thresholds(client) if threshold.preset == preset}
    if not known:
        raise UsageError(f"{preset!r} is no preset. There are: {', '.join(PRESETS)}.")
    if rule not in known:
        raise UsageError(f"There is no rule {rule!r}. There are: {', '.join(sorted(known))}.")
    if value is not None and not 0 <= value < float("inf"):
        raise UsageError(f"{value} is no threshold: write a number from 0 on.")
    row = [preset, rule, _TAKEN_BACK if value is None else value, "user"]
    client.insert("anomaly_thresholds", [row], column_names=["preset", "rule", "threshold", "origin"])
