"""The way of one signal to the ledger: a bounded queue, one thread that sends, and what becomes of each item.

What has failed for a while is tried again, the same bytes with the same ids, until it is delivered: the ledger knows a
repetition. What bounds the memory is the queue. Nothing here takes a lock on the way of a caller: a garbage collection
may end a span in the middle of anything, and a fork may copy a lock that is held.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections import deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from opentelemetry.instrumentation.utils import suppress_instrumentation

from spanledger.health import Health
from spanledger.once import warn_once
from spanledger.otlp import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanledger.otlp import Answer, Sender

__all__ = ["Delivery"]

_logger: Final = logging.getLogger("spanledger")

# Sized for 1,000 calls/s against a collector that takes a second to answer: the SDK's defaults lose a third of them.
_BATCH_ITEMS_MAX: Final = 2048
_QUEUE_ITEMS_MAX: Final = 16384
_DELAY_S: Final = 1.0

_BACKOFF_S_MAX: Final = 30.0
_RETRY_AFTER_S_MAX: Final = 300.0  # a server that says more than this is not believed
# One failed attempt is a restarting collector; that nothing is lost yet needs no log line.
_FAILURES_UNTIL_TOLD: Final = 3
_FLUSH_POLL_S: Final = 0.005
_JOIN_POLL_S: Final = 0.02

# What the end of the process says of a batch that was sent, by how the endpoint kept silent.
_DOUBTS: Final = {
    "late": "did not confirm in time; they are probably stored",
    "broken_off": "ended the connection before it confirmed; they may be stored",
}

_NOTHING_IN_DOUBT: Final = 0, "late"

_Item = TypeVar("_Item")


class Delivery(Generic[_Item]):
    """Queues items, encodes and sends them in batches. put() never blocks and never raises."""

    def __init__(
        self,
        signal: str,
        encode: Callable[[Sequence[_Item]], bytes],
        sender: Callable[[], Sender],
        *,
        url: str,
        on_worker_start: Callable[[], None] = lambda: None,
        delay_s: float = _DELAY_S,
        queue_items_max: int = _QUEUE_ITEMS_MAX,
        batch_items_max: int = _BATCH_ITEMS_MAX,
    ) -> None:
        self._signal = signal
        self._encode = encode
        self._open_sender = sender
        self._url = url
        self._on_worker_start = on_worker_start
        self._delay_s = delay_s
        self._queue_items_max = queue_items_max
        self._batch_items_max = min(batch_items_max, queue_items_max)
        self.health = Health(signal)
        self._closing = False
        self._start_anew()

    def _start_anew(self) -> None:
        """Begin as an empty queue: at first, and in a forked child, whose copy of the queue is its parent's to send."""
        self._pid = os.getpid()
        self._queue: deque[_Item] = deque()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._worker: threading.Thread | None = None
        self._starting = threading.Lock()
        self._in_flight = 0  # items that left the queue and have no fate yet
        self._settled = 0
        self._failures = 0  # attempts that failed since one worked
        self._attempts_failed = 0
        self._flush_wanted = False
        # Of those in flight, how many left as a whole without an answer, and how the endpoint kept silent.
        self._in_doubt = _NOTHING_IN_DOUBT
        self._deadline: float | None = None
        self._answer_deadline = 0.0  # for what the endpoint is at work on
        self._is_given_up = False
        self._settling = threading.Lock()  # between the worker and the end; a caller never needs it
        self.health.start_anew()

    @property
    def queued_items(self) -> int:
        """Items that are not delivered, and not lost either."""
        return len(self._queue) + self._in_flight

    def put(self, item: _Item) -> None:
        """Queue one item; when the queue is full, the new one is lost and counted."""
        if self._pid != os.getpid():
            self._start_anew()
        if self._closing:
            self.health.dropped("closed")
            return
        if len(self._queue) >= self._queue_items_max:
            self.health.dropped("queue_full")
            warn_once(
                f"queue-full-{self._signal}", "spanledger: the queue of %s is full, new ones are lost", self._signal
            )
            return
        self._queue.append(item)
        if self._worker is None:
            self._start_worker()
        elif len(self._queue) >= self._batch_items_max and self._wake.empty():
            self._wake.put(None)

    def _start_worker(self) -> None:
        if not self._starting.acquire(blocking=False):
            return  # another thread is at it
        worker = threading.Thread(target=self._work, name=f"spanledger-{self._signal}", daemon=True)
        try:
            worker.start()
        except RuntimeError:  # the interpreter is shutting down: close() sends what there is
            return
        self._worker = worker
        self._on_worker_start()

    def flush(self, timeout_s: float) -> bool:
        """Send what is queued now. Returns whether all of it is settled; False as soon as an attempt fails that is made again."""
        if self._pid != os.getpid():
            self._start_anew()
        failed, until = self._attempts_failed, time.monotonic() + timeout_s
        target = self._settled + self.queued_items
        self._flush_wanted = True
        self._wake.put(None)
        while self._settled < target and self.queued_items:
            if self._attempts_failed > failed or time.monotonic() >= until:
                return False
            time.sleep(_FLUSH_POLL_S)
        return True

    def begin_close(self, timeout_s: float, answer_timeout_s: float) -> None:
        """Take nothing more, and let the thread send what there is within the time.

        The second, longer time is for an endpoint that is there: it has a whole batch to answer for, or has answered.
        """
        if self._pid != os.getpid():
            self._start_anew()
        now = time.monotonic()
        self._answer_deadline, self._deadline = now + answer_timeout_s, now + timeout_s
        self._closing = True
        self._wake.put(None)

    def end_close(self) -> None:
        """Wait for the end that begin_close() set; what is left then is lost or in doubt, and told."""
        if self._worker is not None:
            while self._worker.is_alive() and (left_s := self._end() - time.monotonic()) > 0:
                self._worker.join(min(left_s, _JOIN_POLL_S))
        elif self._queue:
            self._work()  # no thread can start any more
        with self._settling:
            self._is_given_up = True  # an answer from here on changes nothing that was told
            in_doubt, silence = self._in_doubt
            sent = min(in_doubt, self._in_flight)
            lost = self.queued_items - sent
            self._queue.clear()
            self._in_flight = 0
        self.health.unconfirmed(sent)
        self.health.dropped("exit", lost)
        if sent:
            _logger.warning(
                "spanledger: %d %s were sent to %s, but it %s", sent, self._signal, self._url, _DOUBTS[silence]
            )
        self._tell_of_losses()

    def _end(self) -> float:
        return self._answer_deadline if self._in_doubt[0] else self._deadline or 0.0

    def _tell_of_losses(self) -> None:
        lost = self.health.dropped_items - self.health.told_items
        if lost:
            self.health.told_items += lost
            _logger.warning(
                "spanledger: %d %s could not be delivered to %s and are lost (%s)",
                lost,
                self._signal,
                self._url,
                self.health.last_trouble or "the process ended before they were sent",
            )

    # ---- from here on, in the worker ----

    def _work(self) -> None:
        with suppress_instrumentation():
            sender = self._open_sender()
            while not self._is_over():
                if len(self._queue) < self._batch_items_max and not (self._closing or self._flush_wanted):
                    self._pause(self._delay_s)
                self._send_queued(sender)
            sender.close()

    def _is_over(self) -> bool:
        return self._closing and (not self._queue or self._is_late())

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _pause(self, seconds: float) -> None:
        try:
            self._wake.get(timeout=seconds)
        except Empty:
            return

    def _send_queued(self, sender: Sender) -> None:
        self._flush_wanted = False
        left = len(self._queue)  # what comes meanwhile waits for a batch of its own
        while left > 0 and not self._is_late():
            self._in_flight = min(left, self._batch_items_max)
            left -= self._in_flight
            self._send(sender, [self._queue.popleft() for _ in range(self._in_flight)])

    def _send(self, sender: Sender, batch: Sequence[_Item]) -> None:
        """Send a batch until its fate is known, in halves where it is too large or cannot be encoded as a whole."""
        parts = [batch]
        while parts and not self._is_late():
            part = parts.pop()
            try:
                body = self._encode(part)
            except Exception:  # noqa: BLE001 - one item that cannot be encoded must not cost the others
                too_large, body = True, b""
                if len(part) == 1:
                    warn_once("encode", "spanledger: one of the %s cannot be encoded", self._signal, with_error=True)
            else:
                too_large = self._send_body(sender, body, len(part))
            if too_large and len(part) > 1:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
            elif too_large:
                self._settle(1, dropped="too_large" if body else "not_encodable")

    def _send_body(self, sender: Sender, body: bytes, items: int) -> bool:
        """Send until the server has decided; return whether it is too much for it."""
        while True:
            answer = self._attempt(sender, body, items)
            if answer.kind == "too_large":
                self.health.last_trouble = answer.message
                self._in_doubt = _NOTHING_IN_DOUBT
                return True
            if answer.kind == "delivered":
                self._note_delivery(items, answer.rejected_items, answer.message)
                return False
            self.health.failed(answer.message)
            if answer.kind == "refused":
                warn_once(
                    f"refused-{self._url}", "spanledger: %s refuses %s: %s", self._url, self._signal, answer.message
                )
                self._settle(items, dropped="refused")
                return False
            self._attempts_failed += 1
            self._failures += 1
            self._tell_of_trouble(answer.message)
            if not self._wait_to_retry(answer.retry_after_s):
                return False

    def _attempt(self, sender: Sender, body: bytes, items: int) -> Answer:
        """Send once. What was sent stays in doubt over later attempts, until it is settled."""
        before = self._in_doubt

        def note_sent() -> None:
            self._in_doubt = items, "late"

        answer = sender.send(body, self._limits(), note_sent)
        if answer.kind == "retry" and (before[0] or not answer.silence):
            self._in_doubt = before  # the server did not take this attempt, or an earlier one is in doubt already
        elif answer.silence and self._in_doubt[0]:
            self._in_doubt = items, answer.silence
        return answer

    def _limits(self) -> Limits:
        if self._deadline is None:
            return Limits()
        now = time.monotonic()
        return Limits(max(0.05, self._deadline - now), max(0.05, self._answer_deadline - now))

    def _note_delivery(self, items: int, rejected: int, message: str) -> None:
        if self._failures >= _FAILURES_UNTIL_TOLD:
            _logger.info("spanledger: delivery to %s works again", self._url)
        self._failures = 0
        if self._closing:
            self._deadline = self._answer_deadline  # it is there: the rest has the longer time too
        if message or rejected:
            warn_once(
                f"partial-{self._url}",
                "spanledger: %s took %d of %d %s: %s",
                self._url,
                items - rejected,
                items,
                self._signal,
                message or "it does not say why",
            )
        rejected = min(max(rejected, 0), items)
        self._settle(items - rejected)
        self._settle(rejected, dropped="rejected")

    def _settle(self, items: int, *, dropped: str = "") -> None:
        with self._settling:
            if self._is_given_up:
                return
            if dropped:
                self.health.dropped(dropped, items)
            else:
                self.health.delivered(items)
            self._in_flight -= items
            self._settled += items
            self._in_doubt = _NOTHING_IN_DOUBT

    def _tell_of_trouble(self, message: str) -> None:
        if self._failures == _FAILURES_UNTIL_TOLD and not self._closing:
            warn_once(
                f"delivery-{self._url}",
                "spanledger: cannot deliver to %s (%s); calls go on, and up to %d %s wait until it is back "
                "(this is logged once; is the collector running, and SPANLEDGER_OTLP_ENDPOINT right?)",
                self._url,
                message,
                self._queue_items_max,
                self._signal,
            )

    def _wait_to_retry(self, retry_after_s: float) -> bool:
        """Wait longer after each failure; return whether there is time for another attempt.

        The end of the process and a flush cut the wait short, except where the server has said how long it is.
        """
        backoff_s = min(_BACKOFF_S_MAX, self._delay_s * 2 ** min(self._failures - 1, 10)) * random.uniform(0.7, 1.0)  # noqa: S311 - spreads load
        asked_s = min(retry_after_s, _RETRY_AFTER_S_MAX)
        now = time.monotonic()
        until, earliest = now + max(backoff_s, asked_s), now + asked_s
        was_closing = self._closing
        while (now := time.monotonic()) < until:
            if self._closing and (was_closing or (self._deadline or 0.0) <= earliest):
                self._deadline = now  # that was the last attempt, for what is still queued too
                return False
            if now >= earliest and (self._closing or self._flush_wanted):
                break
            until_next = until if now >= earliest else earliest
            self._pause(max(0.001, until_next - now))
        self._flush_wanted = False
        return not self._is_late()
