"""Brings a database to the schema of the ``sql`` folder: forward only, recorded, re-runnable, resumable.

A file holds one statement that can be run twice. Its name is its number; its text is frozen once released. Placeholders are
filled for the target (embedded chDB, one server, a cluster); a first line ``-- for each: grain = minute, hour`` repeats the
statement, with the values of ``VARIANTS`` filled in.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanledger_collector.assets import assets
from spanledger_collector.exceptions import MigrationError
from spanledger_collector.refusals import refusal
from spanledger_collector.target import Target

__all__ = ["VARIANTS", "Migration", "migrate", "read_migrations", "render"]

VARIANTS: Final[dict[str, dict[str, str]]] = {
    "minute": {
        "grain": "minute",
        "start_of": "toStartOfMinute",
        "partition": "toYYYYMMDD",
        "not_older": "1 day",
        "keep": "2 day",
    },
    "hour": {
        "grain": "hour",
        "start_of": "toStartOfHour",
        "partition": "toYYYYMM",
        "not_older": "20 year",
        "keep": "{rollup_years} year",
    },
    **{
        name: {"dimension": name} for name in ("team", "feature", "tenant", "agent", "task", "model", "user", "session")
    },
}
_FILE_NAME = re.compile(r"(\d{3})_([a-z0-9_]+)\.sql")
_FOR_EACH = re.compile(r"\A-- for each: \w+ = ([\w, ]+)\n")
_ENGINE = re.compile(r"\{engine:(\w+)(\([^}]*\))?\}")
_RECORDS = """
create table if not exists {db}.schema_migrations (
  number UInt16 comment 'Number of the file',
  name String comment 'Name of the file',
  digest FixedString(64) comment 'SHA-256 of its text, hexadecimal',
  applied_at DateTime64(3, 'UTC') default now64(3) comment 'When it was applied'
) engine = {engine:ReplacingMergeTree(applied_at)} order by number comment 'Applied files of the sql folder'"""


@dataclass(frozen=True)
class Migration:
    """One file of the ``sql`` folder."""

    number: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def statements(self, target: Target) -> Iterator[str]:
        """Yield the statements for one target, one or one for each variant."""
        match = _FOR_EACH.match(self.text)
        for variant in match[1].split(",") if match else [None]:
            values = VARIANTS[variant.strip()] if variant else {}
            yield render(self.text, target, values)


def read_migrations() -> list[Migration]:
    """Return the files of the ``sql`` folder in order; raise MigrationError on two of one number."""
    found = sorted(
        (entry.name, entry.read_text("utf-8")) for entry in assets("sql").iterdir() if _FILE_NAME.fullmatch(entry.name)
    )
    migrations = [Migration(int(name[:3]), name[4:-4], text) for name, text in found]
    numbers = [migration.number for migration in migrations]
    if len(set(numbers)) != len(numbers):
        raise MigrationError("Two files of the sql folder have the same number; give each its own.")
    return migrations


def render(text: str, target: Target, values: dict[str, str] | None = None) -> str:
    """Fill the placeholders of one statement; raise MigrationError when one stays unfilled."""
    filled = _ENGINE.sub(lambda match: target.engine(match[1], match[2] or ""), text)
    for key, value in {**(values or {}), **target.placeholders()}.items():
        filled = filled.replace("{" + key + "}", value)
    left = re.search(r"\{[a-z_]+(:[^}]*)?\}", filled)
    if left:
        raise MigrationError(f"Placeholder {left[0]} has no value for a target of kind {target.kind}.")
    return filled.strip().rstrip(";")


def migrate(client: Client, target: Target, migrations: Sequence[Migration] | None = None) -> list[Migration]:
    """Apply what is missing and return it; a failure leaves what was done before it recorded, so the next run goes on there.

    ``migrations`` replaces the files of the ``sql`` folder. Raises MigrationError when a statement fails or when a file changed
    after it was applied.
    """
    client.command(target.create_database())
    client.command(render(_RECORDS, target))
    rows = client.query(f"select number, digest from {target.database}.schema_migrations final").result_rows
    applied = {
        int(number): bytes(digest).decode() if isinstance(digest, bytes) else str(digest) for number, digest in rows
    }
    done = []
    for migration in read_migrations() if migrations is None else migrations:
        if migration.number in applied:
            _check_unchanged(migration, applied[migration.number])
            continue
        _apply(client, target, migration)
        done.append(migration)
    return done


def _check_unchanged(migration: Migration, digest: str) -> None:
    if migration.digest != digest:
        raise MigrationError(
            f"Migration {migration.number:03} ({migration.name}) was changed after it was applied. "
            "An applied file is frozen: restore it and put the change into a new file with a higher number."
        )


def _apply(client: Client, target: Target, migration: Migration) -> None:
    try:
        for statement in migration.statements(target):
            client.command(statement)
        client.insert(
            "schema_migrations",
            [[migration.number, migration.name, migration.digest]],
            column_names=["number", "name", "digest"],
            database=target.database,
        )
    except ClickHouseError as error:
        raise MigrationError(
            f"Migration {migration.number:03} ({migration.name}) failed: {refusal(error)} "
            "What came before it is applied and recorded; mend the cause and run `spanledger migrate` again."
        ) from error
