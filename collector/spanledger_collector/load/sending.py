"""Sends as an SDK does: a batch that is refused or not answered is sent again, byte for byte, until it is acknowledged."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import requests

__all__ = ["Batch", "Client"]

_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Batch:
    """What goes out in one request: how many calls that nobody brought before, and their group (what they are summed by)."""

    path: str
    headers: dict[str, str]
    body: bytes
    calls: int
    group: tuple[str, ...] = ()


@dataclass
class Client:
    """Sends one batch after the other; one that was not acknowledged comes first the next time.

    ``ca`` is the file of the certificate authority to trust; None: the usual ones.
    """

    batches: Iterator[Batch]
    pending: Batch | None = None
    pause_seconds: float = 0.02
    calls: Counter[tuple[str, ...]] = field(default_factory=Counter)
    sent_again: Counter[str] = field(default_factory=Counter)
    ca: Path | None = None
    answer_seconds: list[float] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """How many calls were acknowledged."""
        return self.calls.total()

    def run(self, url: Callable[[], str], is_over: Callable[[], bool]) -> None:
        """Send until told to stop or nothing is left; the collector may move to another URL."""
        with self.session() as session:
            while not is_over():
                self.pending = self.pending or next(self.batches, None)
                if self.pending is None:
                    return
                if refused := self._refusal(session, url(), self.pending):
                    self.sent_again[refused] += 1
                    time.sleep(self.pause_seconds)
                    continue
                self.calls[self.pending.group] += self.pending.calls
                self.pending = None

    def session(self) -> requests.Session:
        """Return a connection that is led nowhere else: no proxy, and no password of a .netrc in place of our token."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.ca) if self.ca else True
        return session

    def answer(
        self, session: requests.Session, url: str, batch: Batch, seconds_max: float = _TIMEOUT_SECONDS
    ) -> requests.Response:
        """Send once; return the answer, also one that leads elsewhere."""
        return session.post(
            url + batch.path, batch.body, headers=batch.headers, timeout=seconds_max, allow_redirects=False
        )

    def _refusal(self, session: requests.Session, url: str, batch: Batch) -> str:
        """Send once; return why it was not taken, empty when it was."""
        asked = time.monotonic()
        try:
            answer = self.answer(session, url, batch)
        except requests.RequestException as error:
            return type(error).__name__
        if answer.status_code != requests.codes.ok:
            return str(answer.status_code)
        self.answer_seconds.append(time.monotonic() - asked)
        return ""
