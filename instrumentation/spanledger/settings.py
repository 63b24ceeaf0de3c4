"""What the SDK is told: one object, read from the environment once, at start-up."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opentelemetry.util.re import parse_env_headers

from spanledger.attributes import TAG_ATTRIBUTES
from spanledger.exceptions import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DEFAULT_ENDPOINT_URL", "Settings", "given_tags", "is_disabled", "settings_from"]

DEFAULT_ENDPOINT_URL: Final = "http://127.0.0.1:4318"

# Tags with a default in the environment; user, session, agent and step belong to a request, not to a process.
_DEFAULT_TAGS: Final = ("tenant", "team", "feature", "task")
_PROTOCOLS: Final = ("http/protobuf", "grpc")


@dataclass(frozen=True)
class Settings:
    """Where the ledger is and what is true of every call of this process."""

    # Full addresses of the two signals; for gRPC both are the bare endpoint.
    traces_url: str = f"{DEFAULT_ENDPOINT_URL}/v1/traces"
    logs_url: str = f"{DEFAULT_ENDPOINT_URL}/v1/logs"
    # "http/protobuf" or "grpc".
    protocol: str = "http/protobuf"
    # Sent with every export and nowhere else; keys are lower case.
    headers: Mapping[str, str] = field(default_factory=dict)
    # Seconds that one attempt to export may take; "gzip" or "none"; files of the endpoint's authority and of our own
    # certificate and key.
    timeout_s: float = 10.0
    compression: str = "none"
    certificate_file: str | None = None
    client_certificate: tuple[str, str] | None = None
    # How many spans wait at most, go out at once, and how long one waits for others to come.
    queue_spans_max: int = 16384
    batch_spans_max: int = 2048
    delay_s: float = 1.0
    # How long the end of the process may wait for what is still queued, and where the endpoint is at work on it.
    exit_timeout_s: float = 2.0
    exit_answer_timeout_s: float = 5.0
    # `service.name` and `deployment.environment.name` of a provider that we create; None leaves it to OTEL_*.
    service_name: str | None = None
    environment: str | None = None
    # Span attribute -> value, for spans whose caller said nothing else.
    default_tags: Mapping[str, str] = field(default_factory=dict)
    # Whether threads and thread pools carry the tags of whoever starts the work.
    carries_into_threads: bool = True
    # Tags that travel to other services as W3C baggage, and whether those in the baggage of a request count here.
    baggage_tags: tuple[str, ...] = ()
    trusts_baggage: bool = False
    # Makes pseudonyms of user ids. None: ids go to the ledger as they are; empty: a mistake, they do not go at all.
    user_key: str | None = field(default=None, repr=False)


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Whether OTEL_SDK_DISABLED switches everything off."""
    return environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def given_tags(overrides: Mapping[str, object]) -> dict[str, str]:
    """Return the default tags that instrument() was given, by span attribute. Raises SettingsError."""
    return _tags({}, overrides)


def settings_from(environ: Mapping[str, str], overrides: Mapping[str, object]) -> Settings:
    """Return the settings of this process: an override beats SPANLEDGER_*, which beats OTEL_*, which beats the default.

    Raises SettingsError for an endpoint, a protocol or a tag that cannot work.
    """
    own = _text(overrides, "endpoint") or environ.get("SPANLEDGER_OTLP_ENDPOINT", "").strip()
    protocol = _protocol(environ, overrides, own=bool(own))
    return Settings(
        traces_url=_signal_url(environ, own, "traces", protocol),
        logs_url=_signal_url(environ, own, "logs", protocol),
        protocol=protocol,
        headers=_headers(environ, overrides, own=bool(own)),
        timeout_s=_number(environ, _otlp("TIMEOUT"), 10.0),
        compression=_choice(environ, _otlp("COMPRESSION"), ("none", "gzip")),
        certificate_file=_first(environ, _otlp("CERTIFICATE")) or None,
        client_certificate=_client_certificate(environ),
        queue_spans_max=int(_number(environ, ["OTEL_BSP_MAX_QUEUE_SIZE"], 16384)),
        batch_spans_max=int(_number(environ, ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"], 2048)),
        delay_s=_number(environ, ["OTEL_BSP_SCHEDULE_DELAY"], 1000) / 1000,
        exit_timeout_s=_number(environ, ["SPANLEDGER_EXIT_TIMEOUT_S"], 2.0, zero_allowed=True),
        exit_answer_timeout_s=_number(environ, ["SPANLEDGER_EXIT_TIMEOUT_S"], 5.0, zero_allowed=True),
        service_name=_text(overrides, "service_name"),
        environment=_text(overrides, "environment"),
        default_tags=_tags(environ, overrides),
        carries_into_threads=_switch(environ, "SPANLEDGER_THREADS", default=True),
        baggage_tags=_tag_names(environ, "SPANLEDGER_BAGGAGE"),
        trusts_baggage=_switch(environ, "SPANLEDGER_BAGGAGE_TRUST", default=False),
        user_key=_user_key(environ, overrides),
    )


def _text(overrides: Mapping[str, object], key: str) -> str | None:
    value = overrides.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f"{key}={value!r}: expected a non-empty string")
    return value.strip()


def _switch(environ: Mapping[str, str], key: str, *, default: bool) -> bool:
    text = environ.get(key, "").strip().lower()
    if text not in {"", "true", "false"}:
        raise SettingsError(f"{key}={text!r}: expected true or false")
    return text == "true" if text else default


def _tag_names(environ: Mapping[str, str], key: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in environ.get(key, "").split(",") if name.strip())
    unknown = [name for name in names if name not in TAG_ATTRIBUTES]
    if unknown:
        raise SettingsError(f"{key} names {unknown[0]!r}, which is no tag; the tags are {', '.join(TAG_ATTRIBUTES)}")
    return names


def _user_key(environ: Mapping[str, str], overrides: Mapping[str, object]) -> str | None:
    given = overrides.get("user_key")
    if given is None:
        return environ.get("SPANLEDGER_USER_KEY")
    # A key of a wrong type is as good as an empty one: the ids that it should have hidden must not leave.
    return given if isinstance(given, str) else ""


def _protocol(environ: Mapping[str, str], overrides: Mapping[str, object], *, own: bool) -> str:
    protocol = _text(overrides, "protocol") or environ.get("SPANLEDGER_OTLP_PROTOCOL", "").strip()
    if not protocol and not own:  # OTEL_* speaks of the endpoint in OTEL_*, not of ours
        protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "") or environ.get(
            "OTEL_EXPORTER_OTLP_PROTOCOL", ""
        )
    protocol = protocol.strip() or "http/protobuf"
    if protocol not in _PROTOCOLS:
        raise SettingsError(f"OTLP protocol {protocol!r} is not supported; use one of {', '.join(_PROTOCOLS)}")
    return protocol


def _signal_url(environ: Mapping[str, str], own: str, signal: str, protocol: str) -> str:
    specific = environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "").strip()
    if not own and specific:
        return _checked_url(specific)
    base = _checked_url(own or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip() or DEFAULT_ENDPOINT_URL)
    return base if protocol == "grpc" else f"{base.rstrip('/')}/v1/{signal}"


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        # urlsplit drops tabs and line breaks in silence, and whoever pasted one did not mean the rest either.
        is_usable = url.isprintable() and " " not in url and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        is_usable = False
    if not is_usable or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(f"OTLP endpoint {url!r} is not an address like {DEFAULT_ENDPOINT_URL}")
    return url


def _otlp(name: str) -> list[str]:
    return [f"OTEL_EXPORTER_OTLP_TRACES_{name}", f"OTEL_EXPORTER_OTLP_{name}"]


def _first(environ: Mapping[str, str], names: Sequence[str]) -> str:
    return next((value for name in names if (value := environ.get(name, "").strip())), "")


def _number(environ: Mapping[str, str], names: Sequence[str], default: float, *, zero_allowed: bool = False) -> float:
    text = _first(environ, names)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (0 < value < math.inf or (zero_allowed and value == 0)):
        raise SettingsError(f"{names[-1]}={text!r}: expected a number above zero")
    return value


def _choice(environ: Mapping[str, str], names: Sequence[str], choices: Sequence[str]) -> str:
    text = _first(environ, names).lower() or choices[0]
    if text not in choices:
        raise SettingsError(f"{names[-1]}={text!r}: use one of {', '.join(choices)}")
    return text


def _client_certificate(environ: Mapping[str, str]) -> tuple[str, str] | None:
    certificate, key = _first(environ, _otlp("CLIENT_CERTIFICATE")), _first(environ, _otlp("CLIENT_KEY"))
    return (certificate, key) if certificate and key else None


def _headers(environ: Mapping[str, str], overrides: Mapping[str, object], *, own: bool) -> dict[str, str]:
    given = overrides.get("headers")
    if given is not None:
        if not hasattr(given, "items"):
            raise SettingsError(f"headers={given!r}: expected a mapping of header to value")
        return {str(key).lower(): str(value) for key, value in given.items()}
    # OTEL_*_HEADERS may hold the key of another back end: it goes to the endpoint that OTEL_* names and no other.
    names = ("SPANLEDGER_OTLP_HEADERS",) if own else ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
    text = next((environ[name] for name in names if environ.get(name)), "")
    return dict(parse_env_headers(text, liberal=True))


def _tags(environ: Mapping[str, str], overrides: Mapping[str, object]) -> dict[str, str]:
    values = {
        name: _text(overrides, name) or environ.get(f"SPANLEDGER_{name.upper()}", "").strip() for name in _DEFAULT_TAGS
    }
    return {TAG_ATTRIBUTES[name]: value[:128] for name, value in values.items() if value}
