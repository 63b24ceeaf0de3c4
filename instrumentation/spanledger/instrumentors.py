"""Which instrumentation meters which client: the official one, else one that the user has, and never two.

Several distributions use the same entry-point name ("openai"), so they are told apart by distribution.
"""

from __future__ import annotations

import logging
import sys
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry.instrumentation.dependencies import get_dist_dependency_conflicts

from spanledger.calls import wrap_clients
from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from opentelemetry.trace import TracerProvider

__all__ = ["Claims", "Instrumentor", "client_of", "disabled_names", "instrument_clients", "warn_of_unmetered_clients"]

_GROUP: Final = "opentelemetry_instrumentor"
_logger: Final = logging.getLogger("spanledger")

_OFFICIAL: Final = {
    "openai": "opentelemetry-instrumentation-genai-openai",
    "anthropic": "opentelemetry-instrumentation-genai-anthropic",
}
_CLIENT_OF_DISTRIBUTION: Final = {
    **{distribution: client for client, distribution in _OFFICIAL.items()},
    "opentelemetry-instrumentation-openai": "openai",  # OpenLLMetry
    "opentelemetry-instrumentation-openai-v2": "openai",
    "openinference-instrumentation-openai": "openai",
    "opentelemetry-instrumentation-anthropic": "anthropic",  # OpenLLMetry
    "openinference-instrumentation-anthropic": "anthropic",
}


class Instrumentor(Protocol):
    """What we use of OpenTelemetry's BaseInstrumentor, which has no type information."""

    @property
    def is_instrumented_by_opentelemetry(self) -> bool: ...
    def instrument(self, **options: Any) -> None: ...
    def uninstrument(self, **options: Any) -> None: ...


def disabled_names(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the entry-point names that OTEL_PYTHON_DISABLED_INSTRUMENTATIONS switches off; "*" means all."""
    names = environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")
    return frozenset(name.strip() for name in names if name.strip())


def instrument_clients(provider: TracerProvider, disabled: Collection[str]) -> list[Instrumentor]:
    """Instrument each installed client once and return the instrumentors that this call started."""
    if "*" in disabled:
        return []
    wrap_clients()
    warn_of_unmetered_clients(disabled)
    started = []
    for client in _OFFICIAL:
        if client in disabled or find_spec(client) is None:
            continue
        try:
            instrumentor = _instrument_client(client, provider)
        except Exception:  # noqa: BLE001 - one client's instrumentation must not take the others down
            warn_once(f"instrument-{client}", "spanledger: %s could not be instrumented", client, with_error=True)
            continue
        if instrumentor is not None:
            started.append(instrumentor)
    return started


def warn_of_unmetered_clients(disabled: Collection[str]) -> None:
    """Say once, for each client that is installed without any instrumentation, what to install."""
    for client in _OFFICIAL:
        if disabled and ("*" in disabled or client in disabled):
            continue
        if find_spec(client) is not None and not _entry_points(client):
            warn_once(
                f"missing-{client}",
                "spanledger: calls of %s are not metered; run: pip install 'spanledger[%s]'",
                client,
                client,
            )


def _instrument_client(client: str, provider: TracerProvider) -> Instrumentor | None:
    points = _entry_points(client)
    active = next((point for point in points if _is_active(point)), None)
    if active is not None:
        _logger.debug("spanledger: %s is instrumented by %s already", client, _distribution(active))
        return None
    official = next((point for point in points if _distribution(point) == _OFFICIAL[client]), None)
    if official is None:
        return None  # another one is installed, and it is its user's to switch on
    instrumentor: Instrumentor = official.load()()
    instrumentor.instrument(tracer_provider=provider)
    return instrumentor if instrumentor.is_instrumented_by_opentelemetry else None


def _entry_points(client: str) -> list[EntryPoint]:
    return [
        point for point in entry_points(group=_GROUP) if _CLIENT_OF_DISTRIBUTION.get(_distribution(point)) == client
    ]


def _distribution(point: EntryPoint) -> str:
    return point.dist.name.lower().replace("_", "-") if point.dist else ""


def _is_active(point: EntryPoint) -> bool:
    """Whether this instrumentor is switched on, without importing or constructing what nobody uses."""
    module = sys.modules.get(point.module)
    instance = getattr(getattr(module, point.attr, None), "_instance", None)
    return bool(getattr(instance, "is_instrumented_by_opentelemetry", False))


def client_of(point: EntryPoint) -> str | None:
    """Return the LLM client that an instrumentor is for; None for one of anything else."""
    return _CLIENT_OF_DISTRIBUTION.get(_distribution(point))


class Claims:
    """For zero-code, where every installed instrumentor is offered in turn: which one may have its client."""

    def __init__(self) -> None:
        self._owner_by_client: dict[str, str] = {}

    def allows(self, point: EntryPoint) -> bool:
        """Whether to load this one. Instrumentors of anything but an LLM client are always allowed."""
        distribution, client = _distribution(point), client_of(point)
        if client is None:
            return True
        if distribution != _OFFICIAL[client] and self._is_official_usable(client):
            _logger.info("spanledger: %s is skipped, %s meters %s", distribution, _OFFICIAL[client], client)
            return False
        return self._owner_by_client.setdefault(client, distribution) == distribution

    @staticmethod
    def _is_official_usable(client: str) -> bool:
        return any(
            point.dist is not None and not _conflicts(point.dist)
            for point in _entry_points(client)
            if _distribution(point) == _OFFICIAL[client]
        )


def _conflicts(distribution: Any) -> bool:
    return get_dist_dependency_conflicts(distribution) is not None
