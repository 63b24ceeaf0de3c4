"""The one running instrumentation of a process: what instrument() and zero-code start, and what its handle stops."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from spanledger.calls import CallOptions, call_options, configure, options_from
from spanledger.destinations import keep_tags_from_vendors
from spanledger.exceptions import SpanledgerError
from spanledger.exits import before_sigterm
from spanledger.instrumentors import ClientMetering, disabled_names
from spanledger.once import warn_once
from spanledger.pipeline import Pipeline, Stats
from spanledger.propagation import propagate_tags
from spanledger.settings import settings_from
from spanledger.threads import carry_into_threads
from spanledger.users import pseudonyms_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanledger.settings import Settings

__all__ = ["Instrumentation", "active_instrumentation", "inert_instrumentation", "start", "try_start"]

_logger: Final = logging.getLogger("spanledger")
_lock: Final = threading.Lock()
_INIT_PID: Final = 1  # of a container: a signal that it does not handle leaves it running, metered as before


class Instrumentation:
    """A handle on the running instrumentation. A program that just ends needs none: everything is flushed at exit."""

    def __init__(self) -> None:
        self._pipeline: Pipeline | None = None
        self._metering: ClientMetering | None = None
        self._last_stats = Stats()

    @property
    def is_active(self) -> bool:
        """False when OpenTelemetry is disabled, set-up failed, or after shutdown()."""
        return self._pipeline is not None

    def run(self, settings: Settings, provider: TracerProvider, *, is_own: bool, genai_spans_only: bool) -> None:
        """Send the spans of a provider to the ledger, until shutdown() or the end of the process."""
        self._pipeline = Pipeline(
            settings, provider, is_own=is_own, genai_spans_only=genai_spans_only, before_exit=self.shutdown
        )

    def force_flush(self, timeout_s: float = 10.0) -> bool:
        """Deliver what is queued now. Returns whether that worked within the time; never raises."""
        return self._pipeline is not None and self._pipeline.flush(timeout_s)

    def stats(self) -> Stats:
        """Return how many spans and outcomes were delivered, dropped and why, and what failed; for a health page."""
        if self._pipeline is not None:
            self._last_stats = self._pipeline.stats()
        return self._last_stats

    def shutdown(self) -> None:
        """Deliver what is queued and stop metering.

        Waits at most SPANLEDGER_EXIT_TIMEOUT_S; by default 2 seconds, or 5 where the endpoint is at work on a batch.
        """
        global _active  # noqa: PLW0603 - a process has one instrumentation
        with _lock:
            if _active is self:
                _active = None
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is None:
            return
        atexit.unregister(self.shutdown)
        if self._metering is not None:
            self._metering.stop()
        pipeline.close()
        self._last_stats = pipeline.stats()
        with _lock:
            if _active is None:  # nobody has started another meanwhile
                _let_everything_pass()

    def add_default_tags(self, tags: Mapping[str, str]) -> None:
        """Tag what starts from now on, unless a tags() says otherwise: span attribute -> value."""
        if self._pipeline is not None and tags:
            self._pipeline.add_default_tags(tags)
            options = call_options()
            configure(replace(options, default_tags={**options.default_tags, **tags}))

    def emit_outcome(self, attributes: Mapping[str, str]) -> None:
        """Queue an outcome event; warns once where nothing runs that could deliver it."""
        if self._pipeline is None:
            warn_once("outcome-inactive", "outcome() is dropped: spanledger.instrument() is not active")
            return
        self._pipeline.outcomes.emit(attributes)

    def meter_clients(self, provider: trace.TracerProvider) -> None:
        """Instrument each client as it is imported; those that are instrumented already stay as they are."""
        self._metering = ClientMetering(provider, disabled_names(os.environ))
        self._metering.start()

    def keep_one_instrumentor_each(self) -> None:
        """Switch off what would count a call twice."""
        if self._metering is not None:
            self._metering.keep_one_each()


_active: Instrumentation | None = None
_own_provider: TracerProvider | None = None  # the last that we made; OpenTelemetry keeps the first that is set


def active_instrumentation() -> Instrumentation | None:
    """Return what runs in this process, if anything does."""
    return _active


def inert_instrumentation() -> Instrumentation:
    """Return a handle that does nothing, for a process where telemetry is off."""
    return Instrumentation()


def try_start(
    overrides: Mapping[str, object],
    *,
    provider: TracerProvider | None = None,
    genai_spans_only: bool | None = None,
) -> Instrumentation:
    """Start metering as the environment and the overrides say; where that fails, say why, once, and do nothing."""
    try:
        settings = settings_from(os.environ, overrides)
        return start(settings, provider=provider, genai_spans_only=genai_spans_only)
    except Exception as error:  # noqa: BLE001 - telemetry never stops an application
        is_ours = isinstance(error, SpanledgerError)  # it says what to do; anything else needs its traceback
        warn_once("start", "spanledger: LLM calls are not metered: %s", error, with_error=not is_ours)
        return inert_instrumentation()


def start(
    settings: Settings, *, provider: TracerProvider | None = None, genai_spans_only: bool | None
) -> Instrumentation:
    """Start metering, or return what runs already.

    Joins `provider`, else the global TracerProvider, else creates one. A provider that is joined has exporters of its
    own, so the ledger gets GenAI spans only, unless `genai_spans_only` says otherwise; one that we create is the
    application's only way out, and every span goes to the ledger.
    """
    global _active  # noqa: PLW0603 - a process has one instrumentation
    with _lock:
        if _active is not None:
            return _active
        target, is_own = (provider, False) if provider is not None else _target_provider(settings)
        only_genai = not is_own if genai_spans_only is None else genai_spans_only
        configure(options_from(os.environ, ledger_url=settings.traces_url, default_tags=settings.default_tags))
        started = Instrumentation()
        started.run(settings, target, is_own=is_own, genai_spans_only=only_genai)
        _active = started
    atexit.register(started.shutdown)
    before_sigterm(_end_active, settings.exit_answer_timeout_s)
    _carry_tags(settings)
    started.meter_clients(target)
    _logger.debug("spanledger: metering to %s", settings.traces_url)
    return started


def _end_active() -> None:
    active = _active
    if active is None:
        return
    if os.getpid() == _INIT_PID:
        active.force_flush()
    else:
        active.shutdown()


def _let_everything_pass() -> None:
    """Switch off what stays wrapped: clients, threads and the propagator do what they did before."""
    configure(CallOptions(is_active=False))
    carry_into_threads(is_on=False)
    propagate_tags((), is_trusting=False, pseudonyms=None)


def _carry_tags(settings: Settings) -> None:
    try:
        if settings.carries_into_threads:
            carry_into_threads(is_on=True)
        pseudonyms = pseudonyms_from(settings.user_key)
        if settings.baggage_tags:
            keep_tags_from_vendors()
            if not call_options().propagate_hosts:
                warn_once(
                    "baggage-nowhere",
                    "spanledger: SPANLEDGER_BAGGAGE lists tags, and no host gets them; list own hosts in SPANLEDGER_PROPAGATE_HOSTS",
                )
        propagate_tags(settings.baggage_tags, is_trusting=settings.trusts_baggage, pseudonyms=pseudonyms)
    except Exception:  # noqa: BLE001 - calls are metered all the same
        warn_once("carry-tags", "spanledger: tags do not follow work into threads and services", with_error=True)


def _target_provider(settings: Settings) -> tuple[TracerProvider, bool]:
    global _own_provider  # noqa: PLW0603 - a process has one global provider
    current = trace.get_tracer_provider()
    if isinstance(current, TracerProvider):
        return current, current is _own_provider
    _own_provider = own = TracerProvider(resource=_resource(settings), shutdown_on_exit=False)
    if isinstance(current, trace.ProxyTracerProvider):
        trace.set_tracer_provider(own)
    else:
        warn_once(
            "foreign-provider",
            "spanledger: the tracer provider that is set (%s) is not OpenTelemetry's own; calls are metered beside it",
            type(current).__qualname__,
        )
    return own, True


def _resource(settings: Settings) -> Resource:
    given = {"service.name": settings.service_name, "deployment.environment.name": settings.environment}
    return Resource.create({key: value for key, value in given.items() if value})
