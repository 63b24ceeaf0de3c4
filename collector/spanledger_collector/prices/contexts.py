"""What a price may depend on besides the model, time and size, in the one spelling that the ledger looks prices up by (037, 048h)."""

from typing import Final

from spanledger_collector.exceptions import PriceError
from spanledger_collector.suggestions import did_you_mean

__all__ = ["canonical_context"]

_ORDER: Final = ("processing", "route", "search_type", "service_tier", "speed", "region")
_VALUES: Final = {"processing": ("batch",), "speed": ("fast",), "region": ("us", "eu", "regional")}
# What the ledger writes for values that mean the same: batch is no tier, and what everybody gets is no context.
_BATCH: Final = ("processing", "batch")
_USUAL: Final = {
    "service_tier": ("", "default", "standard", "standard_only", "auto", "on_demand"),
    "speed": ("", "standard", "normal"),
    "processing": ("", "standard", "online"),
    "region": ("", "global"),
}


def canonical_context(text: str) -> str:
    """Return the context as calls have it: known keys in the ledger's order, lower case; PriceError for one that no call can have."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, value = _pair(part)
        if value in _USUAL.get(key, ("",)):
            continue
        if key in found and found[key] != value:
            raise PriceError(f"The context {text!r} says {key} twice: {found[key]} and {value}. Say it once.")
        if key in _VALUES and value not in _VALUES[key]:
            raise PriceError(
                f"The context {text!r} asks for {key}={value}, which no call has: {key} is {' or '.join(_VALUES[key])}."
            )
        found[key] = value
    return ",".join(f"{key}={found[key]}" for key in _ORDER if key in found)


def _pair(part: str) -> tuple[str, str]:
    name, marked, value = (word.strip().lower() for word in part.partition("="))
    if not marked:
        raise PriceError(f"The context {part!r} is not KEY=VALUE; write service_tier=flex.")
    if name not in _ORDER:
        hint = did_you_mean(name, _ORDER, f"There are: {', '.join(_ORDER)}.", cutoff=0.5)
        raise PriceError(f"A price cannot depend on {name!r}: no call says it. {hint}")
    return _BATCH if (name, value) == ("service_tier", "batch") else (name, value)
