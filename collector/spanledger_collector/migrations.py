"""Brings a database to the schema of the ``sql`` folder: forward only, recorded, re-runnable, resumable.

A file holds one statement that can be run twice. What holds data (``create table``, ``alter table``, ``insert``) is applied once and
frozen. What holds none (``create or replace`` of views, dictionaries, functions) may be edited: when anything is new or edited, all
of them are made again, because a view keeps the text of the functions that it was made with; so they are when the ledger's reporting
zone changed, or how long it keeps things. Files are taken in the order of their
names; a letter after the number (``050a``) puts an ``alter table`` behind its table and before what reads the new column.

Placeholders are filled for the target (embedded chDB, one server, a cluster); a first line ``-- for each: grain = minute, hour``
repeats the statement, with the values of ``VARIANTS`` filled in.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanledger_collector.assets import assets
from spanledger_collector.exceptions import MigrationError
from spanledger_collector.refusals import refusal
from spanledger_collector.retention import kept_retention, make_retention_true
from spanledger_collector.target import Target
from spanledger_collector.zone import SETTINGS, kept_zone

__all__ = ["VARIANTS", "Migration", "migrate", "pending", "read_migrations", "render"]

_GRAINS: Final[dict[str, dict[str, str]]] = {
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
}
VARIANTS: Final[dict[str, dict[str, str]]] = {
    # Spans are read as they land, and once more when they are read again.
    "landed": {"reader": "genai_spans_mv", "landing": "otel_traces", "generation": "toUInt8(0)"},
    "again": {"reader": "genai_spans_again_mv", "landing": "spans_again", "generation": "Generation"},
    **_GRAINS,
    **{
        f"{kind}_{grain}s": {"rollup": f"{kind}_{grain}s", **values}
        for kind in ("cost", "actor")
        for grain, values in _GRAINS.items()
    },
    "of_hours": {
        "period": "hour",
        "by_period": "",
        "period_type": "DateTime('UTC')",
        "period_start": "toDateTime(toStartOfHour(bucket, {zone}), 'UTC')",
        "period_is": "Start of the hour",
        "costs": "{db}.costs",
    },
    **{
        period: {
            "period": period,
            "by_period": f"_by_{period}",
            "period_type": "Date",
            "period_start": f"{first_day}(bucket, {{zone}})",
            "period_is": f"First day of the {period}",
            "costs": "{db}.costs_between(since = '1970-01-02 00:00:00', until = '2106-01-01 00:00:00')",
        }
        for period, first_day in (("day", "toDate"), ("month", "toStartOfMonth"))
    },
    "standing": {
        "which": "standing",
        "draft": "",
        "book": "select max(book) from {db}.price_books",
        "aliases": "select * from {db}.model_aliases",
    },
    "draft": {
        "which": "drafted",
        "draft": "draft_",
        "book": "select max(book) from {db}.rate_segments",
        "aliases": "select * from {db}.model_aliases union all select * from {db}.drafted_aliases",
    },
    **{
        name: {"dimension": name} for name in ("team", "feature", "tenant", "agent", "task", "model", "user", "session")
    },
}
_FILE_NAME = re.compile(r"(\d{3})([a-z]?)_([a-z0-9_]+)\.sql")
_FOR_EACH = re.compile(r"\A-- for each: \w+ = ([\w, ]+)\n")
_ENGINE = re.compile(r"\{engine:(\w+)(\([^}]*\))?\}")
_CREATE_TABLE = re.compile(r"^create table\b", re.MULTILINE)
_KEPT = ("zone", "calls_days", "rollup_years")
_RECORDS = """
create table if not exists {db}.schema_migrations (
  number UInt16 comment 'Number of the file, plus 1000 for an a after it, 2000 for a b, ...',
  name String comment 'Name of the file',
  digest FixedString(64) comment 'SHA-256 of its text in the reporting zone, hexadecimal',
  applied_at DateTime64(3, 'UTC') default now64(3) comment 'When it was applied'
) engine = {engine:ReplacingMergeTree(applied_at)} order by number comment 'Applied files of the sql folder'"""


@dataclass(frozen=True)
class Migration:
    """One file of the ``sql`` folder: ``050a_more.sql`` has the number 1050 and the label ``050a``."""

    number: int
    name: str
    text: str

    @property
    def label(self) -> str:
        """Number and letter, as in the name of the file."""
        letter, digits = divmod(self.number, 1000)
        return f"{digits:03}{chr(ord('a') + letter - 1) if letter else ''}"

    @property
    def is_definition(self) -> bool:
        """Whether it makes something that holds no data, and may therefore be edited and made again."""
        return re.search(r"^create or replace\b", self.text, re.MULTILINE) is not None

    @property
    def digest(self) -> str:
        """SHA-256 of the text, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def mark(self, target: Target) -> str:
        """Digest of what it made: a definition that names a setting of the ledger is another one when that is changed."""
        text = self.text
        if self.is_definition:
            values = target.placeholders() | {"zone": target.zone}
            for name in _KEPT:
                text = text.replace("{" + name + "}", values[name])
        return hashlib.sha256(text.encode()).hexdigest()

    def statements(self, target: Target) -> Iterator[str]:
        """Yield the statements for one target, one or one for each variant."""
        target = target.by_age if _CREATE_TABLE.search(self.text) else target
        match = _FOR_EACH.match(self.text)
        for variant in match[1].split(",") if match else [None]:
            values = VARIANTS[variant.strip()] if variant else {}
            yield render(self.text, target, values)


def read_migrations() -> list[Migration]:
    """Return the files of the ``sql`` folder in order; raise MigrationError on two of one number."""
    entries = sorted(assets("sql").iterdir(), key=lambda entry: entry.name)
    migrations = [
        Migration(_number(match[1], match[2]), match[3], entry.read_text("utf-8"))
        for entry in entries
        if (match := _FILE_NAME.fullmatch(entry.name))
    ]
    numbers = [migration.number for migration in migrations]
    if len(set(numbers)) != len(numbers):
        raise MigrationError("Two files of the sql folder have the same number; give each its own.")
    return migrations


def _number(digits: str, letter: str) -> int:
    return int(digits) + (1000 * (ord(letter) - ord("a") + 1) if letter else 0)


def render(text: str, target: Target, values: dict[str, str] | None = None) -> str:
    """Fill the placeholders of one statement; raise MigrationError when one stays unfilled."""
    filled = _ENGINE.sub(lambda match: target.engine(match[1], match[2] or ""), text)
    for key, value in {**(values or {}), **target.placeholders()}.items():
        filled = filled.replace("{" + key + "}", value)
    left = re.search(r"\{[a-z_]+\}|\{engine:[^}]*\}", filled)
    if left:
        raise MigrationError(f"Placeholder {left[0]} has no value for a target of kind {target.kind}.")
    return filled.strip().rstrip(";")


def migrate(
    client: Client, target: Target, migrations: Sequence[Migration] | None = None, *, again: bool = False
) -> list[Migration]:
    """Apply what is missing and return it; a failure leaves what was done before it recorded, so the next run goes on there.

    ``migrations`` replaces the files of the ``sql`` folder; ``again`` makes all definitions once more, as after the password changed
    with which dictionaries read their tables. Raises MigrationError when a statement fails or when a file changed
    after it was applied, UsageError when a setting of the target cannot be or is not the ledger's.
    """
    client.command(target.create_database())
    client.command(render(_RECORDS, target))
    client.command(render(SETTINGS, target))
    target = _as_kept(client, target)
    applied = _applied(client, target)
    files = read_migrations() if migrations is None else migrations
    missing = _news(files, applied, target)
    news = [file for file in files if file in missing or (again and file.is_definition)]
    for file in files if news else ():
        if file.is_definition or file.number not in applied:
            _apply(client, target, file)
        if not file.is_definition and file.number not in applied:
            _record(client, target, [file])
    # Not before all are made: one that was made with an older text of another must be made again after a failure.
    _record(client, target, [file for file in news if file.is_definition])
    make_retention_true(client, target, files)
    return news


def pending(client: Client, target: Target) -> list[Migration]:
    """Return what ``migrate`` would apply to a ledger that exists; changes nothing, and raises what it would raise before it does."""
    return _news(read_migrations(), _applied(client, target), _as_kept(client, target))


def _as_kept(client: Client, target: Target) -> Target:
    """Return the target with the settings that its ledger keeps."""
    kept = kept_retention(client, target)
    return replace(kept, zone=kept_zone(client, target))


def _applied(client: Client, target: Target) -> dict[int, str]:
    rows = client.query(f"select number, digest from {target.database}.schema_migrations final").result_rows
    return {
        int(number): bytes(digest).decode() if isinstance(digest, bytes) else str(digest) for number, digest in rows
    }


def _news(files: Sequence[Migration], applied: dict[int, str], target: Target) -> list[Migration]:
    for file in files:
        if not file.is_definition and file.number in applied:
            _check_unchanged(file, applied[file.number])
    return [file for file in files if applied.get(file.number) != file.mark(target)]


def _check_unchanged(migration: Migration, digest: str) -> None:
    if migration.digest != digest:
        raise MigrationError(
            f"Migration {migration.label} ({migration.name}) was changed after it was applied. "
            "An applied file is frozen: restore it and put the change into a new file with a higher number. "
            "If you edited none, the ledger was made by another line of versions: go on with the version that made it."
        )


def _apply(client: Client, target: Target, migration: Migration) -> None:
    try:
        for statement in migration.statements(target):
            client.command(statement)
    except ClickHouseError as error:
        raise MigrationError(
            f"Migration {migration.label} ({migration.name}) failed: {refusal(error)} "
            "What came before it is applied and recorded; mend the cause and run `spanledger migrate` again."
        ) from error


def _record(client: Client, target: Target, files: Sequence[Migration]) -> None:
    rows = [[file.number, file.name, file.mark(target)] for file in files]
    if rows:
        client.insert("schema_migrations", rows, column_names=["number", "name", "digest"], database=target.database)
