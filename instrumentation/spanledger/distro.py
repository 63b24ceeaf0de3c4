"""Zero-code: what `opentelemetry-instrument python app.py` finds through the entry points of this package."""

from __future__ import annotations

import os
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined] # it opts out of typing
from opentelemetry.sdk._configuration import _OTelSDKConfigurator
from opentelemetry.sdk.trace import TracerProvider

from spanledger.calls import wrap_clients
from spanledger.instrumentors import Claims, disabled_names, warn_of_unmetered_clients
from spanledger.once import warn_once
from spanledger.session import active_instrumentation, shield_vendors, try_start
from spanledger.settings import is_disabled

__all__ = ["SpanledgerConfigurator", "SpanledgerDistro", "post_instrument", "pre_instrument"]


class SpanledgerDistro(BaseDistro):  # type: ignore[misc] # untyped, see its import
    """Loads one instrumentor per client."""

    def __init__(self) -> None:
        self._claims = Claims()

    def _configure(self, **kwargs: Any) -> None:  # noqa: ARG002 - the base class's signature
        shield_vendors()

    def load_instrumentor(self, entry_point: Any, **kwargs: Any) -> None:
        if self._claims.allows(entry_point):
            super().load_instrumentor(entry_point, **kwargs)


class SpanledgerConfigurator(_OTelSDKConfigurator):
    """Sets OpenTelemetry up as OTEL_* says, then adds the way to the ledger."""

    def _configure(self, **kwargs: Any) -> None:
        try:
            super()._configure(**kwargs)  # type: ignore[no-untyped-call] # the SDK leaves it untyped
        except Exception as error:  # noqa: BLE001 - a broken exporter setting must not leave the calls unmetered
            warn_once("configure", "spanledger: OpenTelemetry's own set-up failed (%s); metering goes on", error)
        _start_once()


def pre_instrument() -> None:
    """Run before any instrumentor loads: the clients they import read the environment, and the wrapper is below them."""
    shield_vendors()
    if not is_disabled(os.environ):
        wrap_clients()


def post_instrument() -> None:
    """Run after the instrumentors: join a provider that another distribution's configurator has set up."""
    _start_once()
    if not is_disabled(os.environ):
        warn_of_unmetered_clients(disabled_names(os.environ))


def _start_once() -> None:
    if is_disabled(os.environ) or active_instrumentation() is not None:
        return
    try_start({}, meter_clients=False, genai_spans_only=_has_other_exporters())


def _has_other_exporters() -> bool:
    """Whether spans leave the process by another way too, so that the ledger needs GenAI spans only."""
    names = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    is_configured = isinstance(trace.get_tracer_provider(), TracerProvider)
    return is_configured and (names not in {"", "none"} or bool(os.environ.get("OTEL_CONFIG_FILE")))
