"""What a prompt is made of: system, history, the user's last message, tool results, tool definitions.

A reader turns the body of one kind of request into pieces of text. It never changes, keeps or consumes what it reads,
and passes over what it does not know: a generator or an object of the application is not its to touch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spanledger.attributes import PROMPT_CHARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["ASSISTANT", "MEDIA", "SYSTEM", "TOOL", "USER", "Collector", "Prompt", "items"]

SYSTEM: Final = "system"
USER: Final = "user"
ASSISTANT: Final = "assistant"
TOOL: Final = "tool"
MEDIA: Final = "media"  # an image, a sound, a file: it makes the prompt another one, but has no characters
_DEFINITIONS: Final = "tool_definitions"
_RETRIEVED: Final = "retrieved"
_HISTORY: Final = "history"


@dataclass(slots=True)  # frozen costs a microsecond an object
class Prompt:
    """The texts of a prompt in the order that vendors cache them: tool definitions, system, messages."""

    texts: Sequence[str] = ()
    parts: Sequence[str] = ()  # the part that each text is of
    user_from: int = 0  # index of the first text of the user's last message
    chars: Mapping[str, int] = field(default_factory=dict)
    cache_ttls: str = ""  # for how long it is to be cached: 5m, 1h, or both

    @property
    def system_texts(self) -> Sequence[str]:
        return [text for part, text in zip(self.parts, self.texts, strict=True) if part == SYSTEM]

    def sizes(self, retrieved: Iterable[str] = ()) -> dict[str, int]:
        """Return the characters of each part that has any; marked text counts as retrieved and as nothing else."""
        sizes = dict(self.chars)
        for chunk in retrieved:
            found = (part for part, text in zip(self.parts, self.texts, strict=True) if chunk in text)
            part = next((part for part in found if sizes.get(part, 0) >= len(chunk)), None)
            if part is not None:
                sizes[part] -= len(chunk)
                sizes[_RETRIEVED] = sizes.get(_RETRIEVED, 0) + len(chunk)
        return {PROMPT_CHARS[part]: size for part, size in sizes.items() if size}


class Collector:
    """Gathers the texts of a request message by message, then says which part each of them is."""

    def __init__(self) -> None:
        self._pieces: list[tuple[str, int, str]] = []  # role, number of the message, text
        self._number = 0
        self._last_user = -1

    def next_message(self) -> None:
        self._number += 1

    def add(self, role: str, text: object) -> None:
        """Take one text; anything that is none is passed over."""
        if isinstance(text, str) and text:
            self._pieces.append((role, self._number, text))
            if role == USER:
                self._last_user = self._number

    def add_json(self, role: str, value: object) -> None:
        """Take a value that a vendor puts into the prompt as JSON: arguments, a schema, a tool's answer."""
        if value:
            self.add(role, value if isinstance(value, str) else _json_text(value))

    def define(self, tools: object) -> None:
        """Take the definitions of tools."""
        self.add_json(_DEFINITIONS, tools)

    def prompt(self) -> Prompt:
        parts: list[str] = []
        texts: list[str] = []
        user_from = -1
        chars: dict[str, int] = {}
        for role, number, text in self._pieces:
            is_last = number == self._last_user
            if is_last and user_from < 0:
                user_from = len(texts)
            part = _HISTORY if role == ASSISTANT or (role == USER and not is_last) else role
            parts.append(part)
            texts.append(text)
            if part != MEDIA:
                chars[part] = chars.get(part, 0) + len(text)
        return Prompt(texts, parts, user_from if user_from >= 0 else len(texts), chars)


def _json_text(value: object) -> str:
    """Return a value as JSON, with the type's name for what JSON does not know (a repr would hold an address)."""
    return json.dumps(value, default=_type_name, ensure_ascii=False, separators=(",", ":"))


def _type_name(value: object) -> str:
    return type(value).__qualname__


def items(value: Any) -> Sequence[Any]:
    """Return a list as it is, and nothing for what is none."""
    return value if isinstance(value, list | tuple) else ()
