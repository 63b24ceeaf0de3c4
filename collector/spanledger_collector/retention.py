"""How long a ledger keeps what: settings that it keeps, and what must be made again when they change."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from clickhouse_connect.driver.client import Client

from spanledger_collector.exceptions import UsageError
from spanledger_collector.target import RETENTION, Target

__all__ = [
    "NAMES",
    "changed_retention",
    "checked_retention",
    "kept_retention",
    "lost",
    "make_retention_true",
    "whole_days",
    "wished_retention",
    "write_retention",
]

NAMES: Final = tuple(RETENTION)
_SINCE: Final = ("calls_since", "rollups_since")
# Ids of providers are believed for 30 days, so the calls of as many must be there; the day at the edge is never summed again.
_LIMITS: Final = {"raw_days": (2, 7300), "calls_days": (32, 7300), "rollup_years": (1, 50)}
_TABLE: Final = re.compile(r"^create table if not exists \S+\.(\w+)", re.MULTILINE)
_TTL: Final = re.compile(r"^ttl (.+)$", re.MULTILINE)
_NAMED: Final = re.compile(r"\{(raw_days|calls_days|rollup_years|keep)\}")
_APPLIED: Final = "retention_applied"
_OLDER: Final = {
    "spans": ("otel_traces", "Timestamp < now64(9, 'UTC') - toIntervalDay({raw_days:UInt32})"),
    "log records": ("otel_logs", "Timestamp < now64(9, 'UTC') - toIntervalDay({raw_days:UInt32})"),
    "calls": ("genai_calls", "ts < now64(6, 'UTC') - toIntervalDay({calls_days:UInt32})"),
    "hourly sums": ("cost_hours", "bucket < now('UTC') - toIntervalYear({rollup_years:UInt32})"),
}


class _File(Protocol):
    @property
    def text(self) -> str: ...

    @property
    def is_definition(self) -> bool: ...

    def statements(self, target: Target) -> Iterable[str]: ...


def kept_retention(client: Client, target: Target) -> Target:
    """Return the target with what its ledger keeps; a new ledger gets the target's, or the default, for good.

    Raises UsageError when the target asks for something else than the ledger has, or for what cannot be.
    """
    stored = _stored(client, target.database)
    if "calls_days" not in stored and not _has_tables(client, target.database):
        new = wished_retention(target)
        _write(client, target.database, {_APPLIED: _summary(new)})  # its tables are yet to be made, and made so
        write_retention(client, new)
        return new
    kept = _filled(target, stored)
    for name, value in _wished(target).items():
        if value != getattr(kept, name):
            option = name.replace("_", "-")
            raise UsageError(
                f"This ledger has {_said(name, kept)}, not {value}. `spanledger retention --{option} {value}` changes it; "
                f"else unset SPANLEDGER_{name.upper()}."
            )
    return kept


def wished_retention(target: Target) -> Target:
    """Return the target as a new ledger gets it; UsageError when that cannot be."""
    return checked_retention(_filled(target, {name: str(value) for name, value in _wished(target).items()}))


def whole_days(target: Target) -> int:
    """Return for how many days back all calls are there."""
    if not target.calls_since:
        return target.calls_days
    return min(target.calls_days, (_now() - datetime.fromisoformat(target.calls_since)).days)


def checked_retention(target: Target) -> Target:
    """Return the target; UsageError when it cannot keep that long, or keeps what follows from something shorter than that."""
    for name, (least, most) in _LIMITS.items():
        if not least <= getattr(target, name) <= most:
            raise UsageError(f"{_said(name, target)} cannot be: write a number from {least} to {most}.")
    if target.calls_days < target.raw_days:
        raise UsageError(
            f"{_said('raw_days', target)} is longer than {_said('calls_days', target)}: calls are kept at least as long as their spans."
        )
    if target.rollup_years * 365 < target.calls_days:
        raise UsageError(
            f"{_said('calls_days', target)} is longer than {_said('rollup_years', target)}: sums are kept at least as long as their calls."
        )
    return target


def changed_retention(old: Target, wished: Mapping[str, int]) -> Target:
    """Return a ledger's target with other retention; UsageError when that cannot be.

    What is gone does not come back when more is kept: the target says since when calls and sums are whole.
    """
    new = checked_retention(replace(old, **wished))  # type: ignore[arg-type]  # their names are those of fields
    now = _now()
    if new.calls_days > old.calls_days:
        new = replace(new, calls_since=max(old.calls_since, str(now - timedelta(days=old.calls_days))))
    if new.rollup_years > old.rollup_years:
        new = replace(new, rollups_since=max(old.rollups_since, str(now - timedelta(days=365 * old.rollup_years))))
    return new


def write_retention(client: Client, target: Target) -> None:
    """Set what a ledger keeps; `migrate` then makes it so."""
    names = (*NAMES, *_SINCE)
    _write(client, target.database, {name: str(getattr(target, name)) for name in names})


def make_retention_true(client: Client, target: Target, files: Iterable[_File]) -> None:
    """Alter the tables to what the target keeps, unless they are so already; call it after the definitions are made again.

    The limits of what is summed again must not reach farther than what is still there.
    """
    if _stored(client, target.database).get(_APPLIED, _summary(_filled(Target(), {}))) == _summary(target):
        return
    concerned = (file for file in files if not file.is_definition and _NAMED.search(file.text))
    for statement in (statement for file in concerned for statement in file.statements(target)):
        table, ttl = _TABLE.search(statement), _TTL.search(statement)
        if not table:  # it alters one, and may be run again
            client.command(statement)
        elif ttl:
            client.command(f"alter table {target.database}.{table[1]} modify ttl {ttl[1]}")
    _write(client, target.database, {_APPLIED: _summary(target)})


def lost(client: Client, target: Target) -> dict[str, int]:
    """Return how many rows of what are older than the target keeps them."""
    asked = {name: getattr(target, name) for name in NAMES}
    found = {
        what: int(client.query(f"select count() from {table} where {older}", asked).result_rows[0][0])
        for what, (table, older) in _OLDER.items()
    }
    return {what: count for what, count in found.items() if count}


def _now() -> datetime:
    """Return the time in UTC as the ledger writes it: whole seconds, no zone."""
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None)


def _wished(target: Target) -> dict[str, int]:
    return {name: getattr(target, name) for name in NAMES if getattr(target, name)}


def _has_tables(client: Client, database: str) -> bool:
    return bool(client.query(f"select count() from {database}.schema_migrations").result_rows[0][0])


def _said(name: str, target: Target) -> str:
    return f"{name.replace('_', '-')} {getattr(target, name)}"


def _filled(target: Target, stored: Mapping[str, str]) -> Target:
    numbers = {name: int(stored.get(name, value)) for name, value in RETENTION.items()}
    since = {name: stored.get(name, "") for name in _SINCE}
    return replace(target, **numbers, **since)  # type: ignore[arg-type]  # their names are those of fields


def _summary(target: Target) -> str:
    return " ".join(str(getattr(target, name)) for name in (*NAMES, *_SINCE))


def _stored(client: Client, database: str) -> dict[str, str]:
    rows = client.query(f"select name, value from {database}.settings final").result_rows
    return {str(name): str(value) for name, value in rows}


def _write(client: Client, database: str, values: Mapping[str, str]) -> None:
    now = datetime.now(UTC)
    rows = [[name, value, now] for name, value in values.items()]
    client.insert("settings", rows, column_names=["name", "value", "changed_at"], database=database)
