"""What the process that serves a store knows of itself and no query could tell."""

from collections.abc import Iterator
from typing import Final

from spanledger_collector.alerting.evaluation import Finding
from spanledger_collector.alerting.rules import rule_named
from spanledger_collector.operations.counting import CountingCommitter
from spanledger_collector.operations.disk import DiskWatch
from spanledger_collector.receiver.commit import OverloadedError

__all__ = ["Refusals"]

# Since the last look; senders try again, one may be a restart.
_REFUSED_REQUESTS: Final = 5


class Refusals:
    """Tells how many requests could not be taken since it was asked last, and why nothing can be taken now."""

    def __init__(self, committer: CountingCommitter, disk: DiskWatch) -> None:
        self._committer, self._disk = committer, disk
        self._seen = 0

    def __call__(self) -> Iterator[Finding]:
        total = sum(count for (_, outcome), count in list(self._committer.requests.items()) if outcome == "unavailable")
        refused, self._seen = total - self._seen, total
        reason = ""
        try:
            self._disk.check()
        except OverloadedError as error:
            reason = str(error)
        if reason or refused >= _REFUSED_REQUESTS:
            cause = reason or "More came than could be written."
            yield Finding(rule_named("CollectorRefuses"), {}, refused, {"cause": cause})
