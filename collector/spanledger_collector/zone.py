"""The reporting time zone of a ledger: a setting that it keeps, and what must be made again when it changes."""

import difflib
from datetime import UTC, datetime
from typing import Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.exceptions import UsageError
from spanledger_collector.target import Target

__all__ = ["SETTINGS", "checked_zone", "kept_zone", "realign_hours", "stored_zone", "write_zone"]

SETTINGS: Final = """
create table if not exists {db}.settings (
  name String comment 'zone: the reporting zone; raw_days, calls_days, rollup_years: time kept; anomaly_preset; alert_*: thresholds',
  value String comment 'Its value',
  changed_at DateTime64(3, 'UTC') comment 'When it was set'
) engine = {engine:ReplacingMergeTree(changed_at)} order by name comment 'Settings that the ledger keeps'"""
_HOURS: Final = ("cost_hours", "actor_hours")


def stored_zone(client: Client, database: str = "") -> str:
    """Return the reporting zone of a ledger (of the connection's own one), empty while it has none."""
    table = f"{database}.settings" if database else "settings"
    rows = client.query(f"select value from {table} final where name = 'zone'").result_rows
    return str(rows[0][0]) if rows else ""


def kept_zone(client: Client, target: Target) -> str:
    """Return the ledger's reporting zone; a new ledger gets the target's, or UTC, for good.

    Raises UsageError when the target asks for another than the ledger has, or for one that does not exist.
    """
    stored = stored_zone(client, target.database)
    if stored and target.zone not in ("", stored):
        raise UsageError(
            f"This ledger reports in {stored}, not in {target.zone}. `spanledger zone {target.zone}` changes it; "
            f"else unset SPANLEDGER_ZONE."
        )
    if not stored:
        stored = checked_zone(client, target.zone or "UTC")
        write_zone(client, target.database, stored)
    return stored


def checked_zone(client: Client, zone: str) -> str:
    """Return the name of a time zone as the engine knows it; UsageError when there is none of that name."""
    names = [str(row[0]) for row in client.query("select time_zone from system.time_zones").result_rows]
    if zone in names:
        return zone
    near = difflib.get_close_matches(zone, names, 3, 0.5) or ["UTC", "Europe/Berlin", "America/New_York"]
    raise UsageError(f"{zone!r} is no time zone. Write its name, for example {', '.join(near)}.")


def write_zone(client: Client, database: str, zone: str) -> None:
    """Set the reporting zone; `migrate` then makes again what depends on it."""
    client.insert(
        "settings", [["zone", zone, datetime.now(UTC)]], column_names=["name", "value", "changed_at"], database=database
    )


def realign_hours(client: Client, zone: str, calls_days: int) -> bool:
    """Drop the days, and the hours if they do not begin on an hour of the zone, so that they are made anew; tell whether the hours.

    Only calls can be cut into other hours: raises UsageError, and changes nothing, when there are hours older than the calls.
    """
    asked = {"zone": zone, "days": calls_days - 2}
    askew = "toDateTime(toStartOfHour(bucket, {zone:String}), 'UTC') != bucket"
    rows = client.query(
        f"select count(), countIf(bucket < now('UTC') - toIntervalDay({{days:UInt32}})) from cost_hours where {askew}",
        asked,
    ).result_rows
    found, old = (int(count) for count in rows[0])
    if old:
        raise UsageError(
            f"The hours of {zone} begin at other minutes, and this ledger holds {old:,} rows of hours whose single calls are no longer "
            "kept, so they cannot be cut anew. Choose a zone whose hours begin with those of the present one."
        )
    for table in _HOURS if found else ():
        client.command(f"truncate table {table}")
    client.command("truncate table cost_days")
    return bool(found)
