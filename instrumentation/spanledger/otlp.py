"""One attempt to hand OTLP to the ledger endpoint, and what came of it: what otlp_http.py and otlp_grpc.py share.

https://opentelemetry.io/docs/specs/otlp/ says which answers may be tried again; when, `delivery.py` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Answer", "Limits", "Sender", "Signal", "delivered", "one_line", "with_hint"]

Signal = Literal["spans", "outcomes"]

_HINT_REFUSED: Final = "is `spanledger up` running?"
_MESSAGE_LENGTH_MAX: Final = 200


@dataclass(frozen=True)
class Answer:
    """What became of one attempt."""

    kind: Literal["delivered", "retry", "too_large", "refused"]
    # What the server, or the way to it, has to say; for a delivery, why it took only a part.
    message: str = ""
    rejected_items: int = 0
    retry_after_s: float = 0.0
    # No answer came to this attempt: the time was over, or the connection broke off. What was sent may be stored.
    silence: Literal["", "late", "broken_off"] = ""


@dataclass(frozen=True)
class Limits:
    """Seconds that an attempt may take until the body has left, and then until the answer is there."""

    sent_s: float = float("inf")
    answered_s: float = float("inf")


class Sender(Protocol):
    """A connection to the endpoint. Used by one thread, which opened it: a connection does not survive a fork.

    `limits` shortens the attempt's time; `on_sent` is called when the whole body has left, before the answer is known.
    """

    def send(self, body: bytes, limits: Limits, on_sent: Callable[[], None]) -> Answer: ...
    def close(self) -> None: ...


def delivered(body: bytes, signal: Signal) -> Answer:
    """Return what an answer of success says of a part that was not taken."""
    try:
        if signal == "spans":
            spans = ExportTraceServiceResponse.FromString(body).partial_success
            return Answer("delivered", one_line(spans.error_message), spans.rejected_spans)
        logs = ExportLogsServiceResponse.FromString(body).partial_success
        return Answer("delivered", one_line(logs.error_message), logs.rejected_log_records)
    except DecodeError:
        return Answer("delivered")  # the status counts


def with_hint(message: str) -> str:
    """Return the message, with what to look at first where nobody listens."""
    return f"{message}; {_HINT_REFUSED}" if "connection refused" in message.lower() else message


def one_line(text: str) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())[
        :_MESSAGE_LENGTH_MAX
    ]
