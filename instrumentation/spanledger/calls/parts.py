"""What a prompt is made of: system, history, the user's last message, tool results, tool definitions.

A reader turns the body of one kind of request into pieces of text. It never changes, keeps or consumes what it reads,
and passes over what it does not know: a generator or an object of the application is not its to touch.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from spanledger.attributes import PROMPT_CHARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ASSISTANT", "MEDIA", "SYSTEM", "TOOL", "USER", "Prompt", "items"]

SYSTEM: Final = "system"
USER: Final = "user"
ASSISTANT: Final = "history"
TOOL: Final = "tool"
MEDIA: Final = "media"  # an image, a sound, a file: it makes the prompt another one, but has no characters
_DEFINITIONS: Final = "tool_definitions"
_RETRIEVED: Final = "retrieved"
_HISTORY: Final = ASSISTANT


class Prompt:
    """The texts of a prompt in the order that vendors cache them: tool definitions, system, messages.

    A reader adds them message by message.
    """

    __slots__ = ("_message_from", "_roles", "_user_from", "cache_ttls", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.cache_ttls = ""  # for how long it is to be cached: 5m, 1h, or both
        self._roles: list[str] = []
        self._message_from = 0  # index of the first text of the message that is being read
        self._user_from: int | None = None

    def next_message(self) -> None:
        self._message_from = len(self.texts)

    def add(self, role: str, text: object) -> None:
        """Take one text; anything that is none is passed over."""
        if isinstance(text, str) and text:
            self.texts.append(text)
            self._roles.append(role)
            if role == USER:
                self._user_from = self._message_from

    def add_json(self, role: str, value: object) -> None:
        """Take a value that a vendor puts into the prompt as JSON: arguments, a schema, a tool's answer."""
        if value:
            self.add(role, value if isinstance(value, str) else _json_text(value))

    def define(self, tools: object) -> None:
        """Take the definitions of tools."""
        self.add_json(_DEFINITIONS, tools)

    @property
    def user_from(self) -> int:
        """Index of the first text of the user's last message; behind the last text when there is no such message."""
        return len(self.texts) if self._user_from is None else self._user_from

    @property
    def system_texts(self) -> list[str]:
        return [text for role, text in zip(self._roles, self.texts, strict=True) if role == SYSTEM]

    def sizes(self, retrieved: Iterable[str] = ()) -> dict[str, int]:
        """Return the characters of each part that has any; marked text counts as retrieved and as nothing else."""
        sizes: dict[str, int] = {}
        user_from = self.user_from
        for index, (role, text) in enumerate(zip(self._roles, self.texts, strict=True)):
            if role != MEDIA:
                part = _HISTORY if role == USER and index < user_from else role  # what the user has said before
                sizes[part] = sizes.get(part, 0) + len(text)
        for chunk in retrieved:
            part = self._part_with(chunk, sizes)
            if part:
                sizes[part] -= len(chunk)
                sizes[_RETRIEVED] = sizes.get(_RETRIEVED, 0) + len(chunk)
        return {PROMPT_CHARS[part]: size for part, size in sizes.items() if size}

    def _part_with(self, chunk: str, sizes: dict[str, int]) -> str:
        """Return the first part that a chunk is found in and that has as many characters left; empty: none."""
        for index, (role, text) in enumerate(zip(self._roles, self.texts, strict=True)):
            if chunk in text:
                part = _HISTORY if role == USER and index < self.user_from else role
                if sizes.get(part, 0) >= len(chunk):
                    return part
        return ""


def _json_text(value: object) -> str:
    """Return a value as JSON, with the type's name for what JSON does not know (a repr would hold an address)."""
    return json.dumps(value, default=_type_name, ensure_ascii=False, separators=(",", ":"))


def _type_name(value: object) -> str:
    return type(value).__qualname__


def items(value: Any) -> Sequence[Any]:
    """Return a list as it is, and nothing for what is none."""
    return value if isinstance(value, list | tuple) else ()
