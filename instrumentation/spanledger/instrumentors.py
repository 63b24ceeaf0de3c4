"""Which instrumentation meters which client: the official one, else one that the user has, and never two.

A client is instrumented at the moment it is imported, so that nobody waits for a library that is never used.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import cached_property, partial
from importlib.metadata import EntryPoint, entry_points, version
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry.instrumentation.dependencies import get_dist_dependency_conflicts
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined] # opts out of typing
from packaging.requirements import Requirement
from wrapt import register_post_import_hook

from spanledger.calls import wrap_clients
from spanledger.clients import CLIENTS
from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import ModuleType

    from opentelemetry.trace import TracerProvider

    from spanledger.clients import Client

__all__ = ["GROUP", "ClientMetering", "Instrumentor", "client_of", "disabled_names"]

GROUP: Final = "opentelemetry_instrumentor"
# Foreign instrumentors put prompts and answers into their spans unless told otherwise. Whoever wants that says so.
_WITHOUT_CONTENT: Final = {
    "TRACELOOP_TRACE_CONTENT": "false",
    "OPENINFERENCE_HIDE_INPUTS": "true",
    "OPENINFERENCE_HIDE_OUTPUTS": "true",
}
_logger: Final = logging.getLogger("spanledger")


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


def client_of(point: EntryPoint) -> Client | None:
    """Return the LLM client that an instrumentor is for and nothing else; None for one of anything else."""
    distribution = _distribution(point)
    if distribution == "opentelemetry-instrumentation-botocore":  # all of AWS
        return None
    return next((client for client in CLIENTS if distribution in client.distributions), None)


class ClientMetering:
    """Instruments each client once: those that are imported already at once, the others as they are imported."""

    def __init__(self, provider: TracerProvider, disabled: Collection[str] = ()) -> None:
        self._provider = provider
        self._disabled = disabled
        self._started: list[Instrumentor] = []
        self._is_stopped = False

    def start(self) -> None:
        wrap_clients()  # first: below whatever an instrumentor wraps around a client
        if "*" in self._disabled:
            return
        for client in CLIENTS:
            if client.name not in self._disabled:
                for module in filter(None, (client.module, client.awaited)):
                    register_post_import_hook(partial(self._on_import, client), module)

    def stop(self) -> None:
        """Take back what was instrumented; what is imported from now on stays as it is."""
        self._is_stopped = True
        for instrumentor in self._started:
            instrumentor.uninstrument()
        self._started.clear()

    def _on_import(self, client: Client, module: ModuleType) -> None:
        awaited = sys.modules.get(client.awaited or "")
        if self._is_stopped or (awaited not in {None, module} and _is_half_imported(awaited)):
            return
        try:
            self._meter(client)
        except Exception:  # noqa: BLE001 - an import of the application must not fail because of us
            warn_once(
                f"instrument-{client.name}", "spanledger: %s could not be instrumented", client.name, with_error=True
            )

    def keep_one_each(self) -> None:
        """Switch off the second instrumentor of a client, where something has switched all on that are installed."""
        for client in CLIENTS:
            for surplus in [point for point in self._points(client) if _is_active(point)][1:]:
                _logger.info(
                    "spanledger: %s is switched off: %s is metered already", _distribution(surplus), client.name
                )
                getattr(sys.modules[surplus.module], surplus.attr)().uninstrument()

    def _meter(self, client: Client) -> None:
        points = self._points(client)
        running = next((point for point in points if _is_active(point) or _is_starting(point)), None)
        if running is not None:
            _logger.debug("spanledger: %s is instrumented by %s", client.name, _distribution(running))
            return
        reasons = []
        for point in points:
            reason = self._switch_on(client, point)
            if reason is None:
                return
            reasons.append(f"{_distribution(point)} is {reason}")
        is_switched_off = any(point.name in self._disabled for point in self._every_point(client))
        if client.is_calling_models and not is_switched_off:
            _warn_of_unmetered(client, reasons)

    def _switch_on(self, client: Client, point: EntryPoint) -> str | None:
        """Instrument a client; return why this instrumentor cannot, if so."""
        conflict = _conflict(client, point)
        if conflict:
            return conflict
        if _distribution(point) != client.official:
            for name, value in _WITHOUT_CONTENT.items():
                os.environ.setdefault(name, value)
        try:
            instrumentor: Instrumentor = point.load()()
            # Whether the versions fit is settled; the check of its own takes a client for missing that has another name.
            instrumentor.instrument(tracer_provider=self._provider, skip_dep_check=True)
        except ImportError as error:  # another library of that name, or a version with its modules elsewhere
            return f"not for this one ({error})"
        self._started.append(instrumentor)
        return None

    def _points(self, client: Client) -> list[EntryPoint]:
        """Return the instrumentors of a client that may run, best first."""
        return [point for point in self._every_point(client) if point.name not in self._disabled]

    def _every_point(self, client: Client) -> list[EntryPoint]:
        found = {_distribution(point): point for point in self._installed}
        return [found[name] for name in client.distributions if name in found]

    @cached_property
    def _installed(self) -> tuple[EntryPoint, ...]:
        return tuple(entry_points(group=GROUP))


def _distribution(point: EntryPoint) -> str:
    return point.dist.name.lower().replace("_", "-") if point.dist else ""


def _is_active(point: EntryPoint) -> bool:
    """Whether this instrumentor is switched on, without importing or constructing what nobody uses."""
    module = sys.modules.get(point.module)
    instance = getattr(getattr(module, point.attr, None), "_instance", None)
    return bool(getattr(instance, "is_instrumented_by_opentelemetry", False))


def _is_starting(point: EntryPoint) -> bool:
    """Whether the application is switching this instrumentor on right now, and imports the client in doing so."""
    frame = sys._getframe(1)  # noqa: SLF001 - the only way to see who imports
    while frame is not None:
        if frame.f_code.co_name == "_instrument":
            owner = frame.f_locals.get("self")
            is_of_point = f"{type(owner).__module__}.".startswith(f"{point.module}.")
            if isinstance(owner, BaseInstrumentor) and is_of_point:
                return True
        frame = frame.f_back  # type: ignore[assignment] # None ends the loop
    return False


def _is_half_imported(module: ModuleType | None) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _conflict(client: Client, point: EntryPoint) -> str | None:
    """Return why an instrumentor does not fit the installed client; a client under another name is no conflict."""
    conflict = get_dist_dependency_conflicts(point.dist) if point.dist else None
    if conflict is None or not conflict.found:
        return None
    if client.also_fits and _distribution(point) == client.official:
        measured = Requirement(client.also_fits)
        if measured.specifier.contains(version(measured.name)):
            return None
    return f"for {str(conflict.required).partition(';')[0]}, not {conflict.found}"


def _warn_of_unmetered(client: Client, reasons: Collection[str]) -> None:
    why = f" ({'; '.join(reasons)})" if reasons else ""
    warn_once(
        f"missing-{client.name}",
        "spanledger: calls of %s are not metered%s; run: pip install %s",
        client.name,
        why,
        f"--upgrade {client.requirement}" if reasons else client.requirement,
    )
