"""Looks at the ledger at a regular interval: detects, asks the rules, writes the answers into the book. Delivery is on its own."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from spanledger_collector.alerting.book import Book
from spanledger_collector.alerting.delivery import Delivery
from spanledger_collector.alerting.evaluation import Finding, Problem, evaluate
from spanledger_collector.alerting.receivers import Receiver
from spanledger_collector.alerting.rules import RULES
from spanledger_collector.alerting.texts import Links, annotated
from spanledger_collector.database import Database
from spanledger_collector.refusals import refusal

__all__ = ["BOOK", "Probe", "Watcher", "Watching"]

_log = logging.getLogger(__name__)

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


class Watcher:
    """Watches from its making until ``close``; a context manager closes it."""

    def __init__(self, database: Database, file: Path, watching: Watching, probes: Sequence[Probe] = ()) -> None:
        self._database, self._watching, self._probes = database, watching, probes
        self.book = Book(file)
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
            with contextlib.closing(self._database.client()) as client:
                findings, problems = evaluate(client, RULES)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody must hear that nothing is watched
            findings, problems = [], [Problem(rule.name, refusal(error)) for rule in RULES if rule.query]
        for problem in problems:
            _log.error("The rule %s could not be evaluated: %s", problem.rule, problem.reason)
        findings += [problem.finding for problem in problems]
        findings += [finding for probe in self._probes for finding in probe()]
        found = [(finding, annotated(finding, self._watching.links)) for finding in findings]
        self.book.note(found, now, unknown_rules={problem.rule for problem in problems})
