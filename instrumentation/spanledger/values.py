"""What may be the value of a tag: a short text. Anything else is put right or left out, and never stops a call."""

from __future__ import annotations

from enum import Enum
from typing import Final
from uuid import UUID

from spanledger.once import warn_once

__all__ = ["TAG_LENGTH_MAX", "TagValue", "tag_text"]

TAG_LENGTH_MAX: Final = 128

TagValue = str | int | UUID | Enum | None

# Tags that break spend down by something of ours. Whoever puts an id there loses the breakdown and fills the ledger.
_FEW_VALUED: Final = frozenset({"team", "feature", "task", "agent", "agent_step"})
_VALUES_MAX: Final = 1000
_seen: Final[dict[str, set[str]]] = {name: set() for name in _FEW_VALUED}


def tag_text(name: str, value: object) -> str:
    """Return the text of a tag, at most 128 characters; empty when there is none, which a wrong type is warned of for."""
    if type(value) is not str:
        value = _as_text(name, value)
    text = value.strip()
    if len(text) > TAG_LENGTH_MAX:
        warn_once(f"tag-length-{name}", "tags(%s=...) is cut at %d characters", name, TAG_LENGTH_MAX)
        text = text[:TAG_LENGTH_MAX].rstrip()
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")  # half of a character pair cannot be exported
    if name in _FEW_VALUED:
        _count_values(name, text)
    return text


def _as_text(name: str, value: object) -> str:
    plain = value.value if isinstance(value, Enum) else value
    if plain is None:
        return ""
    if isinstance(plain, str):
        return str.__str__(plain)
    if isinstance(plain, int | UUID) and not isinstance(plain, bool):
        try:
            return str(plain)
        except ValueError:  # an integer of thousands of digits
            pass
    warn_once(
        f"tag-type-{name}",
        "tags(%s=...) is left out: expected a string, a number or a UUID, got %s",
        name,
        type(value).__name__,
    )
    return ""


def _count_values(name: str, text: str) -> None:
    seen = _seen[name]
    if text in seen:
        return
    if len(seen) < _VALUES_MAX:
        seen.add(text)
        return
    warn_once(
        f"tag-values-{name}",
        "tags(%s=...) has more than %d different values; it is meant for few. "
        "An id of a request belongs in user, session or the id of a task",
        name,
        _VALUES_MAX,
    )
