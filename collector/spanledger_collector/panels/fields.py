"""Fields that several panels have, so that one thing has one name and one unit everywhere."""

from typing import Final

from spanledger_collector.panels.model import Field, Link, Unit
from spanledger_collector.panels.thresholds import UNKNOWN_CALLS
from spanledger_collector.panels.words import Word

__all__ = [
    "BOUND", "CALLS", "INPUT", "KNOWN_BAR", "KNOWN_USD", "NOTHING_BOOKED", "ONLY_TENANTS", "OUTPUT", "PER_CALL", "SHARE", "UNKNOWN",
    "named", "trace",
]  # fmt: skip

KNOWN_USD: Final = Field("known_usd", "Known cost", Unit.USD)
KNOWN_BAR: Final = Field("known_usd", "Known cost", Unit.USD, bar=True)
UNKNOWN: Final = Field("unknown_calls", "Calls of unknown cost", Unit.COUNT, UNKNOWN_CALLS, zero="none")
BOUND: Final = Field("bound", "≥", Unit.TEXT)
CALLS: Final = Field("calls", "Calls", Unit.COUNT)
INPUT: Final = Field("input_tokens", "Tokens in", Unit.TOKENS)
OUTPUT: Final = Field("output_tokens", "Tokens out", Unit.TOKENS)
SHARE: Final = Field("share", "Part of all", Unit.SHARE)
PER_CALL: Final = Field("usd_per_call", "Cost per call", Unit.USD)

NOTHING_BOOKED: Final = "No calls in this time range with these filters."
ONLY_TENANTS: Final = (
    "Nothing here. Users and sessions can be narrowed by tenant only: with another filter this stays empty."
)


def named(title: str, *, link: Link | None = None, name: str = "name", words: tuple[Word, ...] = ()) -> Field:
    """Return the field of a name."""
    return Field(name, title, Unit.TEXT, link=link, words=words)


def trace(name: str = "trace_id", title: str = "Trace") -> Field:
    """Return the field of a trace id, which leads to the spans of the trace."""
    return Field(name, title, Unit.TEXT, link=Link("engineering", "trace"))
