"""spanledger.instrument(): the one line for a plain `python app.py`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from spanledger.attributes import TAG_ATTRIBUTES
from spanledger.exceptions import SettingsError
from spanledger.once import warn_once
from spanledger.session import active_instrumentation, inert_instrumentation, try_start
from spanledger.settings import given_tags, is_disabled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import TracerProvider

    from spanledger.session import Instrumentation

__all__ = ["instrument"]


def instrument(
    *,
    endpoint: str | None = None,
    headers: Mapping[str, str] | None = None,
    protocol: str | None = None,
    service_name: str | None = None,
    environment: str | None = None,
    tenant: str | None = None,
    team: str | None = None,
    feature: str | None = None,
    task: str | None = None,
    user_key: str | None = None,
    tracer_provider: TracerProvider | None = None,
) -> Instrumentation:
    """Meter every LLM call of this process and send it to the ledger; returns a handle to flush or stop it.

    What is not given comes from SPANLEDGER_* and OTEL_*. `endpoint` is the base address, such as
    http://127.0.0.1:4318. `tenant`, `team`, `feature` and `task` tag every span that no tags() says otherwise of.
    With `user_key` user ids leave as pseudonyms (HMAC-SHA256), the same ones in every service that has the key.
    A TracerProvider that the application has set is joined. Where metering runs already (by opentelemetry-instrument, by
    an earlier call), the same handle is returned and of what is given only the tags count, for what starts from then on.

    Does not raise when telemetry cannot be set up: the application runs on unmetered and the log says why, once.
    """
    if is_disabled(os.environ):
        return inert_instrumentation()
    overrides = {
        "endpoint": endpoint,
        "headers": headers,
        "protocol": protocol,
        "service_name": service_name,
        "environment": environment,
        "tenant": tenant,
        "team": team,
        "feature": feature,
        "task": task,
        "user_key": user_key,
    }
    running = active_instrumentation()
    if running is not None:
        _join(running, overrides)
        return running
    return try_start(overrides, provider=tracer_provider)


def _join(running: Instrumentation, overrides: Mapping[str, object]) -> None:
    try:
        running.add_default_tags(given_tags(overrides))
    except SettingsError as error:
        warn_once("instrument-twice-tag", "spanledger: a tag of instrument() is ignored: %s", error)
    ignored = [name for name, value in overrides.items() if value is not None and name not in TAG_ATTRIBUTES]
    if ignored:
        warn_once(
            "instrument-twice",
            "spanledger runs already (by opentelemetry-instrument, or an earlier call): %s of this instrument() is "
            "ignored; set it there, or in SPANLEDGER_* before the start",
            ", ".join(ignored),
        )
