"""A call as it is about to leave: what it is, to whom, for whom, how big."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanledger.calls.parts import Prompt

__all__ = ["CallRequest", "Outgoing"]


@dataclass(frozen=True)
class CallRequest:
    """What a guard decides on. It cannot change the call."""

    provider: str  # as in gen_ai.provider.name, by the client that is used
    host: str  # where the call goes, with its port if it is no usual one
    model: str  # as asked for
    operation: str  # as in gen_ai.operation.name
    is_stream: bool
    sizes: Mapping[str, int]  # spanledger.prompt.*.chars -> characters; read-only
    tags: Mapping[str, str]  # span attribute -> value; read-only


@dataclass(slots=True)  # frozen costs a microsecond an object, and nobody else sees it
class Outgoing:
    """One request of a client, read by the adapter that knows the client."""

    provider: str
    host: str
    operation: str = ""  # empty: no call of a model, such as a list of the models
    model: str = ""
    is_stream: bool = False
    body: Any = field(default=None, repr=False)  # the prompt is in it
    read: Callable[[Any], Prompt] | None = None
    error_type: type[Exception] | None = None  # base of the client's errors, which applications handle
