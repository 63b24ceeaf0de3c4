"""What the wrapper around the clients' requests is told, and the hosts that it may do more for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from spanledger.calls.fingerprints import derived_key, given_key

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CallOptions", "Hosts", "call_options", "configure", "options_from"]

# These answer `stream_options.include_usage`; other servers that speak OpenAI's language may refuse the request for it.
_STREAM_USAGE_HOSTS: Final = "api.openai.com,*.api.openai.com,*.openai.azure.com"


@dataclass(frozen=True)
class Hosts:
    """A list of host names: `api.example.com`, `gateway:8080`, `*.corp.example` for every host below it."""

    names: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Hosts:
        names = {name.strip().lower() for name in text.split(",") if name.strip()}
        return cls(
            frozenset(name for name in names if not name.startswith("*.")),
            tuple(sorted(name[1:] for name in names if name.startswith("*."))),
        )

    def __bool__(self) -> bool:
        return bool(self.names or self.suffixes)

    def __contains__(self, host: str) -> bool:
        """Whether a host, with or without its port, is listed."""
        if not self:
            return False
        bare = host.partition(":")[0]
        return host in self.names or bare in self.names or bare.endswith(self.suffixes)


@dataclass(frozen=True)
class CallOptions:
    """Read from the environment once, when metering starts."""

    # Whether calls are metered. If not, the clients do what they did before they were wrapped.
    is_active: bool = True
    # Secret of the prompt fingerprints, at most 64 bytes. See fingerprints.py for what holds without one.
    fingerprint_key: bytes = b"spanledger"
    # Hosts whose OpenAI chat streams are asked for their usage.
    stream_usage_hosts: Hosts = field(default_factory=Hosts)
    # Own hosts, such as a gateway, that get trace context and baggage. Any other host is a vendor and gets neither.
    propagate_hosts: Hosts = field(default_factory=Hosts)
    # Whether prompts and answers that emitters put on spans go to the ledger too.
    exports_content: bool = False
    # Span attribute -> value: who calls are for when nothing else is said.
    default_tags: Mapping[str, str] = field(default_factory=dict)


def options_from(
    environ: Mapping[str, str], *, ledger_url: str = "", default_tags: Mapping[str, str] | None = None
) -> CallOptions:
    """Return the options that SPANLEDGER_* state."""
    key = environ.get("SPANLEDGER_FINGERPRINT_KEY", "").strip()
    more = environ.get("SPANLEDGER_STREAM_USAGE_HOSTS", "").strip()
    is_off = more.lower() == "none"
    return CallOptions(
        fingerprint_key=given_key(key) if key else derived_key(ledger_url),
        stream_usage_hosts=Hosts() if is_off else Hosts.parse(f"{_STREAM_USAGE_HOSTS},{more}"),
        propagate_hosts=Hosts.parse(environ.get("SPANLEDGER_PROPAGATE_HOSTS", "")),
        exports_content=environ.get("SPANLEDGER_CONTENT", "").strip().lower() == "true",
        default_tags=dict(default_tags or {}),
    )


_options = CallOptions(is_active=False)


def configure(options: CallOptions) -> None:
    """Make every later request follow these options."""
    global _options  # noqa: PLW0603 - a process has one instrumentation
    _options = options


def call_options() -> CallOptions:
    """Return the options in force."""
    return _options
