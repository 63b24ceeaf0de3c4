"""Looks at the ledger at a regular interval: detects, asks the rules, writes the answers into the book. Delivery is on its own."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Final, Self

from clickhouse_connect.driver.client import Client

from spanledger_collector.alerting.book import Book
from spanledger_collector.alerting.delivery import Delivery
from spanledger_collector.alerting.evaluation import Finding, Problem, evaluate
from spanledger_collector.alerting.incidents import Incidents
from spanledger_collector.alerting.receivers import Receiver
from spanledger_collector.alerting.rules import RULES
from spanledger_collector.alerting.texts import Links, annotated
from spanledger_collector.anomalies import detect
from spanledger_collector.database import Database
from spanledger_collector.refusals import refusal

__all__ = ["BOOK", "Probe", "Watcher", "Watching", "unjudged"]

_log = logging.getLogger(__name__)

_VERDICT_SECONDS_MAX: Final = 20.0
_CATCH_UP_SECONDS_MAX: Final = 30.0
_POLL_SECONDS: Final = 0.3
_UNJUDGED: Final = files(__package__).joinpath("unjudged.sql").read_text("utf-8")

BOOK: Final = "alerts.sqlite"
"""The book's name in the folder of a store."""
Probe = Callable[[], Iterable[Finding]]
"""Tells what is true now and no query can tell."""


@dataclass(frozen=True)
class Watching:
    """How to watch: how often, whom to tell, where links lead."""

    interval_seconds: float = 60.0
    receivers: Sequence[Receiver] = field(default_factory=tuple)
    links: Links = field(default_factory=Links)


def unjudged(client: Client) -> bool:
    """Tell whether anything that landed waits for the election."""
    return bool(client.query(_UNJUDGED).result_rows[0][0])


class Watcher:
    """Watches from its making until ``close``, which closes the book too; a context manager closes it."""

    def __init__(self, database: Database, book: Book, watching: Watching, probes: Sequence[Probe] = ()) -> None:
        self._database, self._watching, self._probes = database, watching, probes
        self.book = book
        self._stop = threading.Event()
        self._delivery = Delivery(self.book, watching.receivers, watching.interval_seconds)
        self._thread = threading.Thread(target=self._run, name="spanledger-watch", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop looking, then telling."""
        self._stop.set()
        self._thread.join()
        self._delivery.close()
        self.book.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                self.look(time.time())
            except Exception as error:  # noqa: BLE001 - whatever it is, the next look may succeed; until then the watchdog is silent
                _log.error("Watching failed and will be tried again: %s", error)
            self._stop.wait(max(0.0, self._watching.interval_seconds - (time.monotonic() - started)))

    def look(self, now: float) -> None:
        """Look once. A ledger that does not answer is itself an alert, and no other ends because of it."""
        try:
            detected = self._detected(now)
            with contextlib.closing(self._database.client()) as client:
                findings, problems = evaluate(client, RULES)
                incidents = Incidents(client)
                problems += detected
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody must hear that nothing is watched
            findings, problems = [], [Problem(rule.name, refusal(error)) for rule in RULES if rule.query]
            incidents = None
        for problem in problems:
            _log.error("The rule %s could not be evaluated: %s", problem.rule, problem.reason)
        findings += [problem.finding for problem in problems]
        findings += [finding for probe in self._probes for finding in probe()]
        found = [(finding, self._told(finding, incidents)) for finding in findings]
        over = incidents.over if incidents else {}
        self.book.note(found, now, unknown_rules={problem.rule for problem in problems}, over=over)

    def _detected(self, now: float) -> list[Problem]:
        """Bring the incidents up to date; where that fails they stay as they are, and somebody hears of it."""
        try:
            self._await_verdicts()
            # After a long gap the other rules are not to wait for all of it.
            end = time.monotonic() + _CATCH_UP_SECONDS_MAX
            detect(
                self._database,
                datetime.fromtimestamp(now, UTC),
                patience=lambda: not self._stop.is_set() and time.monotonic() < end,
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the rules that need no detection must be asked
            return [Problem("detection", refusal(error))]
        return []

    def _await_verdicts(self) -> None:
        """Look when nothing waits to be judged, as far as that takes seconds: until then sums count a call seen twice twice."""
        end = time.monotonic() + _VERDICT_SECONDS_MAX
        with contextlib.closing(self._database.client()) as client:
            while unjudged(client) and time.monotonic() < end:
                if self._stop.wait(_POLL_SECONDS):
                    return

    def _told(self, finding: Finding, incidents: Incidents | None) -> dict[str, str]:
        texts = incidents.texts(finding.labels["incident"]) if incidents and "incident" in finding.labels else {}
        return annotated(finding, self._watching.links) | {name: text for name, text in texts.items() if text}
