"""From a provider's spans to the ledger: processor, queues and senders, put together, flushed and closed as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanledger.call_metrics import CallMetrics, observe_health
from spanledger.cost import PriceList
from spanledger.delivery import Delivery
from spanledger.exceptions import SettingsError
from spanledger.exits import before_worker_exit
from spanledger.exporter import LedgerEncoder, outbound_resource
from spanledger.health import SignalStats
from spanledger.once import error_counts
from spanledger.otlp_http import HttpSender
from spanledger.outcomes import OutcomeLog, encode_outcomes
from spanledger.processor import EndedSpan, LedgerProcessor
from spanledger.shadow import cast_shadows
from spanledger.users import pseudonyms_from

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import TracerProvider

    from spanledger.otlp import Sender, Signal
    from spanledger.settings import Settings

__all__ = ["Pipeline", "Stats"]


@dataclass(frozen=True)
class Stats:
    """The SDK's own health: what became of spans and outcomes since the process started, or was forked."""

    spans: SignalStats = field(default_factory=SignalStats)
    outcomes: SignalStats = field(default_factory=SignalStats)
    # Place in our own code -> how often it failed. Each is logged once.
    errors: Mapping[str, int] = field(default_factory=dict)


class Pipeline:
    """Everything that runs between one TracerProvider and the ledger."""

    def __init__(
        self,
        settings: Settings,
        provider: TracerProvider,
        *,
        is_own: bool,
        genai_spans_only: bool,
        before_exit: Callable[[], None],
    ) -> None:
        open_sender = _sender_type(settings)
        prices = PriceList()
        prices.load()

        def on_worker_start() -> None:
            before_worker_exit(before_exit)

        self._exit_timeouts_s = settings.exit_timeout_s, settings.exit_answer_timeout_s
        pseudonyms = pseudonyms_from(settings.user_key)
        self._spans: Delivery[EndedSpan] = Delivery(
            "spans",
            LedgerEncoder(prices, CallMetrics(), pseudonyms),
            lambda: open_sender(settings, "spans"),
            url=settings.traces_url,
            on_worker_start=on_worker_start,
            delay_s=settings.delay_s,
            queue_items_max=settings.queue_spans_max,
            batch_items_max=settings.batch_spans_max,
        )
        self._records: Delivery[ReadableLogRecord] = Delivery(
            "outcomes",
            encode_outcomes,
            lambda: open_sender(settings, "outcomes"),
            url=settings.logs_url,
            on_worker_start=on_worker_start,
        )
        observe_health([self._spans, self._records])
        self.outcomes = OutcomeLog(self._records, outbound_resource(provider.resource, pseudonyms))
        processor = LedgerProcessor(self._spans, default_tags=settings.default_tags, genai_spans_only=genai_spans_only)
        self._processor = processor
        self._shadows = cast_shadows(provider, processor)
        provider.add_span_processor(processor)
        self._own_provider = provider if is_own else None

    def add_default_tags(self, tags: Mapping[str, str]) -> None:
        self._processor.add_default_tags(tags)

    def flush(self, timeout_s: float) -> bool:
        are_spans_flushed = self._spans.flush(timeout_s)
        return self._records.flush(timeout_s) and are_spans_flushed

    def stats(self) -> Stats:
        return Stats(self._spans.health.stats(), self._records.health.stats(), error_counts())

    def close(self) -> None:
        self._shadows.stop()
        self._processor.stop()
        for queue in (self._spans, self._records):  # both at once: the end waits for the slower, not for the sum
            queue.begin_close(*self._exit_timeouts_s)
        for queue in (self._spans, self._records):
            queue.end_close()
        if self._own_provider is not None:
            self._own_provider.shutdown()


def _sender_type(settings: Settings) -> Callable[[Settings, Signal], Sender]:
    """Return what opens the way of a signal; raises SettingsError when gRPC is asked for and not installed."""
    if settings.protocol != "grpc":
        return HttpSender
    try:
        from spanledger.otlp_grpc import GrpcSender  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise SettingsError("OTLP protocol 'grpc' is not installed; run: pip install 'spanledger[grpc]'") from error
    return GrpcSender
