"""Zero-code: what `opentelemetry-instrument python app.py` finds through the entry points of this package."""

from __future__ import annotations

import logging
import os
from importlib.metadata import entry_points
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined] # it opts out of typing
from opentelemetry.sdk._configuration import _OTelSDKConfigurator
from opentelemetry.sdk.trace import TracerProvider

from spanledger.instrumentors import GROUP, client_of
from spanledger.once import warn_once
from spanledger.session import active_instrumentation, try_start
from spanledger.settings import is_disabled

__all__ = ["SpanledgerConfigurator", "SpanledgerDistro", "post_instrument", "pre_instrument"]

_LOADER: Final = "opentelemetry.instrumentation.auto_instrumentation._load"


class SpanledgerDistro(BaseDistro):  # type: ignore[misc] # untyped, see its import
    """Leaves the instrumentors of LLM clients to ClientMetering, which loads one for each when it is imported."""

    def _configure(self, **kwargs: Any) -> None:  # noqa: ARG002 - the base class's signature
        logging.getLogger(_LOADER).addFilter(_is_about_another_library)

    def load_instrumentor(self, entry_point: Any, **kwargs: Any) -> None:
        if client_of(entry_point) is None:
            super().load_instrumentor(entry_point, **kwargs)


def _is_about_another_library(record: logging.LogRecord) -> bool:
    """Drop what OpenTelemetry says of instrumentors that do not fit: for LLM clients we decide, and say it better."""
    name, found, _ = record.getMessage().partition(" only instruments ")
    return not found or all(client_of(point) is None for point in entry_points(group=GROUP, name=name))


class SpanledgerConfigurator(_OTelSDKConfigurator):
    """Sets OpenTelemetry up as OTEL_* says, then adds the way to the ledger."""

    def _configure(self, **kwargs: Any) -> None:
        if os.environ.get("OTEL_CONFIG_FILE"):
            kwargs = {}  # the SDK ignores them then, and would warn of what nobody has set
        try:
            super()._configure(**kwargs)  # type: ignore[no-untyped-call] # the SDK leaves it untyped
        except Exception as error:  # noqa: BLE001 - a broken exporter setting must not leave the calls unmetered
            warn_once("configure", "spanledger: OpenTelemetry's own set-up failed (%s); metering goes on", error)
        _start_once()


def pre_instrument() -> None:
    """Run before any instrumentor loads, and after the configurator, whosesoever that is: our wrapper comes first."""
    _start_once()


def post_instrument() -> None:
    """Run after the instrumentors: a distro that is not ours has loaded all that are installed."""
    _start_once()
    active = active_instrumentation()
    if active is not None:
        active.keep_one_instrumentor_each()


def _start_once() -> None:
    if not is_disabled(os.environ) and active_instrumentation() is None:
        try_start({}, genai_spans_only=_has_other_exporters())


def _has_other_exporters() -> bool:
    """Whether spans leave the process by another way too, so that the ledger needs GenAI spans only."""
    names = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    is_configured = isinstance(trace.get_tracer_provider(), TracerProvider)
    return is_configured and (names not in {"", "none"} or bool(os.environ.get("OTEL_CONFIG_FILE")))
