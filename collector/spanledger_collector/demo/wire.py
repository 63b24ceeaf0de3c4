"""What a vendor's wire format is made of: a request as received, a reply as sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from spanledger_collector.demo.meters import Meters

__all__ = ["Reply", "Request", "encode", "event", "unique_id"]


@dataclass(frozen=True)
class Request:
    """One request as the vendor received it; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def api_key(self) -> str:
        """The key, in OpenAI's header or in Anthropic's; empty when there is none."""
        return self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def case(self) -> str:
        return self.headers.get("x-demo-case", "plain")

    @property
    def attempt(self) -> int:
        """1 for the first try; both clients count their silent retries in a header."""
        return int(self.headers.get("x-stainless-retry-count", "0")) + 1

    @property
    def streams(self) -> bool:
        return bool(self.body.get("stream"))


@dataclass(frozen=True)
class Reply:
    """What the vendor answers, and what it bills for it: nothing when `meters` is None."""

    status: int
    frames: list[bytes]
    streamed: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    provider: str = ""
    model: str = ""
    response_id: str = ""
    service_tier: str | None = None
    meters: Meters | None = None
    tells_usage: bool = True


def encode(value: object) -> bytes:
    """Return a value as compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def event(data: object, name: str | None = None) -> bytes:
    """Return one server-sent event; a string (OpenAI's `[DONE]`) goes out as it is."""
    payload = data.encode() if isinstance(data, str) else encode(data)
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + payload + b"\n\n"


def unique_id(prefix: str) -> str:
    """Return a response id of high entropy, as real vendors give."""
    return prefix + uuid4().hex
