"""The book of alerts: what is true, what was told to whom. It is on the disk before anything is sent, so no alert is lost on the way.

It is SQLite beside the ledger and no table in it: an alert that the ledger cannot be asked any more must not need the ledger, noting one
delivery is one row changed in place, and a watcher of somebody else's server needs no right to write there.
"""

import contextlib
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from spanledger_collector.alerting.evaluation import Finding
from spanledger_collector.exceptions import StoreError

__all__ = ["Alert", "Book", "DamagedBookError", "Waiting", "open_anyway"]

_log = logging.getLogger(__name__)

_ABSENT_MAX: Final = 2
"""Evaluations without it after which an alert is resolved: Grafana's own number."""
_KEPT_SECONDS: Final = 7 * 86400.0
_DOUBLE: Final = 2.0
_OPEN: Final = "resolved_at is null"
_LISTED: Final = "(select value from json_each(?))"


@dataclass(frozen=True)
class Alert:
    """An alert as the book has it; times in seconds since 1970."""

    id: int
    rule: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    value: float
    seen_at: float
    fired_at: float
    resolved_at: float | None
    notice: int
    told_notice: int = 0
    """The notice that the receiver was told of last; 0: it knows nothing of this alert."""

    @property
    def is_resolved(self) -> bool:
        return self.resolved_at is not None


@dataclass(frozen=True)
class Waiting:
    """What a receiver has not been told: of how many alerts, and why the last attempt failed (empty: it did not)."""

    receiver: str
    alerts: int
    failures: int
    retry_at: float
    reason: str


class DamagedBookError(StoreError):
    """The file is no book any more, whatever it was."""


class Book:
    """The book in a file, made when there is none; may be used by several threads and read by other processes."""

    def __init__(self, file: Path) -> None:
        try:
            self._db = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.execute("pragma foreign_keys = on")
            self._db.executescript(files(__package__).joinpath("schema.sql").read_text("utf-8"))
            (found,) = self._db.execute("pragma quick_check(1)").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(" ".join(found.split()))
            if file.exists():
                file.chmod(0o600)
        except (sqlite3.Error, OSError) as error:
            if hasattr(self, "_db"):
                self._db.close()
            # Of the engine's errors, the plain one is about what stands in the file, its subclasses about getting there.
            if type(error) is sqlite3.DatabaseError:
                raise DamagedBookError(
                    f"The book of alerts {file} cannot be used: {error}. Move it away; a new one is made."
                ) from error
            raise StoreError(
                f"The book of alerts {file} cannot be used: {error}. See to the disk and to who may write there."
            ) from error
        self._lock = threading.Lock()

    def close(self) -> None:
        self._db.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("begin immediate")
            try:
                yield self._db
                self._db.execute("commit")
            except BaseException:
                # A full disk may have ended it already; if it stayed open, none could begin after it.
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    def note(
        self,
        found: Iterable[tuple[Finding, Mapping[str, str]]],
        now: float,
        *,
        unknown_rules: Collection[str] = (),
        over: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Write down what one evaluation found, with the annotations of each; alerts of rules that could not be asked stay as they are.

        ``over`` has the last annotations of incidents that are known to have ended, by id: their alerts end at once.
        """
        with self._transaction() as db:
            seen = [self._seen(db, finding, annotations, now) for finding, annotations in found]
            for incident, annotations in (over or {}).items():
                self._over(db, incident, annotations, now)
            values = [json.dumps(seen), json.dumps(list(unknown_rules))]
            gone = f"{_OPEN} and id not in {_LISTED} and rule not in {_LISTED}"
            db.execute(f"update alerts set absent = absent + 1 where {gone}", values)
            db.execute(f"delete from alerts where {gone} and fired_at is null and absent >= ?", [*values, _ABSENT_MAX])
            db.execute(f"update alerts set resolved_at = ? where {gone} and absent >= ?", [now, *values, _ABSENT_MAX])
            db.execute("delete from alerts where resolved_at < ?", [now - _KEPT_SECONDS])

    def _seen(self, db: sqlite3.Connection, finding: Finding, annotations: Mapping[str, str], now: float) -> int:
        rule = finding.rule
        labels = json.dumps({"severity": rule.severity, **finding.labels}, sort_keys=True)
        key, texts = f"{rule.name} {labels}", json.dumps(dict(annotations))
        db.execute(
            "insert into alerts (key, rule, labels, annotations, value, first_seen_at, seen_at, noticed_value) values (?,?,?,?,?,?,?,?) "
            f"on conflict (key) where {_OPEN} do update set annotations = excluded.annotations, value = excluded.value, "
            "seen_at = excluded.seen_at, first_seen_at = min(first_seen_at, excluded.first_seen_at), absent = 0",
            [key, rule.name, labels, texts, finding.value, now, now, finding.value],
        )
        row = db.execute(f"select * from alerts where key = ? and {_OPEN}", [key]).fetchone()
        if row["fired_at"] is None and now - row["first_seen_at"] >= rule.holds_minutes * 60:
            db.execute("update alerts set fired_at = ?, noticed_value = value where id = ?", [now, row["id"]])
        elif rule.doubles and finding.value >= _DOUBLE * row["noticed_value"] > 0:
            db.execute("update alerts set notice = notice + 1, noticed_value = value where id = ?", [row["id"]])
        return int(row["id"])

    def _over(self, db: sqlite3.Connection, incident: str, annotations: Mapping[str, str], now: float) -> None:
        db.execute(
            "update alerts set resolved_at = ?, annotations = json_patch(annotations, ?) "
            f"where {_OPEN} and fired_at is not null and json_extract(labels, '$.incident') = ?",
            [now, json.dumps(dict(annotations)), incident],
        )

    def alerts(self, *, resolved: bool = False) -> list[Alert]:
        """Return what fires now, or what did so in the last week."""
        where = "resolved_at is not null" if resolved else _OPEN
        with self._lock:
            rows = self._db.execute(f"select * from alerts where fired_at is not null and {where} order by id")
            return [_alert(row) for row in rows]

    def due(
        self, receiver: str, now: float, *, rules: Collection[str], resend_seconds: float | None, hold_seconds: float
    ) -> list[Alert]:
        """Return what a receiver is to be told now, the oldest first, of these rules.

        First that an alert fires, even if it has ended meanwhile; again for each further notice, and every ``resend_seconds`` (None: never)
        while it fires; then that it is resolved, not before ``hold_seconds`` have passed since it was told: a receiver that gathers
        alerts before it speaks would never speak of it. Of two alerts with the same labels the older is told to its end first.
        """
        with self._lock:
            rows = self._db.execute(
                "select a.*, t.notice as told_notice, t.resolved as told_resolved, t.told_at from alerts a "
                f"left join told t on t.alert = a.id and t.receiver = ? where a.fired_at is not null and a.rule in {_LISTED} "
                "and ifnull(t.resolved, 0) = 0 order by a.id",
                [receiver, json.dumps(list(rules))],
            ).fetchall()
        due, keys = [], set()
        for row in rows:
            if row["key"] in keys:
                continue
            keys.add(row["key"])
            if alert := _due(row, now, resend_seconds, hold_seconds):
                due.append(alert)
        return due

    def told(self, receiver: str, alerts: Iterable[Alert], now: float) -> None:
        """Write down that a receiver has acknowledged these, as they were given by ``due``."""
        with self._transaction() as db:
            for alert in alerts:
                db.execute(
                    "insert into told (alert, receiver, notice, resolved, told_at) select id, ?, ?, ?, ? from alerts where id = ? "
                    "on conflict (alert, receiver) do update "
                    "set notice = excluded.notice, resolved = excluded.resolved, told_at = excluded.told_at",
                    [receiver, alert.notice, alert.is_resolved, now, alert.id],
                )
            self._outcome(db, receiver, 0, 0.0, "")

    def failed(self, receiver: str, retry_at: float, reason: str) -> int:
        """Write down that an attempt failed; return how many have in a row."""
        with self._transaction() as db:
            failures = self._failures(db, receiver) + 1
            self._outcome(db, receiver, failures, retry_at, reason)
            return failures

    def failures(self, receiver: str) -> tuple[int, float]:
        """Return how many attempts failed in a row, and when to try again."""
        with self._lock:
            row = self._db.execute("select * from receivers where receiver = ?", [receiver]).fetchone()
            return (int(row["failures"]), float(row["retry_at"])) if row else (0, 0.0)

    def waiting(self) -> list[Waiting]:
        """Return what waits for each receiver that was ever tried."""
        with self._lock:
            rows = self._db.execute(
                "select r.*, (select count() from alerts a left join told t on t.alert = a.id and t.receiver = r.receiver "
                "where a.fired_at is not null and r.failures > 0 "
                "and (t.alert is null or t.notice < a.notice or (a.resolved_at is not null and t.resolved = 0))) as alerts "
                "from receivers r order by r.receiver"
            )
            return [
                Waiting(row["receiver"], row["alerts"], row["failures"], row["retry_at"], row["reason"]) for row in rows
            ]

    def _failures(self, db: sqlite3.Connection, receiver: str) -> int:
        row = db.execute("select failures from receivers where receiver = ?", [receiver]).fetchone()
        return int(row["failures"]) if row else 0

    def _outcome(self, db: sqlite3.Connection, receiver: str, failures: int, retry_at: float, reason: str) -> None:
        db.execute(
            "replace into receivers (receiver, failures, retry_at, reason) values (?, ?, ?, ?)",
            [receiver, failures, retry_at, reason],
        )


def open_anyway(file: Path) -> Book:
    """Return the book of a collector, which takes spans whatever becomes of its alerts.

    A damaged book is moved aside, and a new one begun; where none can be kept, it is in memory until the next start.
    """
    try:
        try:
            return Book(file)
        except DamagedBookError as error:
            aside = file.with_name(f"{file.name}.damaged-{int(time.time())}")
            for part in ("", "-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    file.with_name(file.name + part).rename(aside.with_name(aside.name + part))
            _log.error("%s Moved it to %s; what fires is told once more.", error, aside)
            return Book(file)
    except (StoreError, OSError) as error:
        _log.error("%s Until the next start alerts are kept in memory: after it, they are told again.", error)
        return Book(Path(":memory:"))


def _due(row: Any, now: float, resend_seconds: float | None, hold_seconds: float) -> Alert | None:
    """Return the alert as it is to be told now; None: nothing is to be told of it yet."""
    told = row["told_notice"]
    if told is None or (told < row["notice"] and row["resolved_at"] is None):
        return _alert(row, resolved_at=None)
    ago = now - row["told_at"]  # below zero: the clock went back, and how long ago it was told is not known
    if row["resolved_at"] is not None:
        return None if 0 <= ago < hold_seconds else _alert(row)
    is_again = resend_seconds is not None and not 0 <= ago < resend_seconds
    return _alert(row) if is_again else None


def _alert(row: Any, **changed: Any) -> Alert:
    values = {name: row[name] for name in ("id", "rule", "value", "seen_at", "fired_at", "resolved_at", "notice")}
    told = row["told_notice"] if "told_notice" in row.keys() else 0  # noqa: SIM118 - a Row holds values
    texts = {name: json.loads(row[name]) for name in ("labels", "annotations")}
    return Alert(**(values | texts | {"told_notice": told or 0} | changed))
