"""One attempt to hand OTLP to the ledger endpoint, over HTTP or gRPC, and what the server said to it.

https://opentelemetry.io/docs/specs/otlp/ says which answers may be tried again; when, `delivery.py` decides.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import BadStatusLine, RemoteDisconnected
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import requests
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from spanledger.attributes import VERSION
from spanledger.exceptions import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from spanledger.settings import Settings

__all__ = ["Answer", "HttpSender", "Limits", "Sender", "Signal", "delivered", "one_line", "sender_type", "with_hint"]

Signal = Literal["spans", "outcomes"]

_RETRYABLE_STATUSES: Final = frozenset({408, 429, 502, 503, 504})
_TOO_LARGE: Final = 413
_HINT_REFUSED: Final = "is `spanledger up` running?"
_HINT_GRPC: Final = "this looks like a gRPC port; use 4318, or SPANLEDGER_OTLP_PROTOCOL=grpc"
_MESSAGE_LENGTH_MAX: Final = 200
_ANSWER_BYTES_MAX: Final = 65_536


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


def sender_type(settings: Settings) -> Callable[[Settings, Signal], Sender]:
    """Return what opens the way of a signal; raises SettingsError when gRPC is asked for and not installed."""
    if settings.protocol != "grpc":
        return HttpSender
    try:
        from spanledger.otlp_grpc import GrpcSender  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise SettingsError("OTLP protocol 'grpc' is not installed; run: pip install 'spanledger[grpc]'") from error
    return GrpcSender


class HttpSender:
    """OTLP/HTTP with protobuf bodies. Sends the settings' headers and no others."""

    def __init__(self, settings: Settings, signal: Signal) -> None:
        self._url = settings.traces_url if signal == "spans" else settings.logs_url
        self._signal = signal
        self._timeout_s = settings.timeout_s
        self._is_gzip = settings.compression == "gzip"
        encoding = {"content-encoding": "gzip"} if self._is_gzip else {}
        self._session = requests.Session()
        self._session.auth = _unchanged  # or requests would put what .netrc says in place of our own header
        self._session.verify = settings.certificate_file or True
        self._session.cert = settings.client_certificate
        self._session.headers.clear()
        self._session.headers.update(
            {
                "content-type": "application/x-protobuf",
                "user-agent": f"spanledger/{VERSION}",
                **encoding,
                **settings.headers,
            }
        )

    def send(self, body: bytes, limits: Limits, on_sent: Callable[[], None]) -> Answer:
        timeout = min(limits.sent_s, self._timeout_s), min(limits.answered_s, self._timeout_s)
        data: Any = _Body(gzip.compress(body, 1) if self._is_gzip else body, on_sent)
        try:
            with self._session.post(
                self._url, data=data, timeout=timeout, allow_redirects=False, stream=True
            ) as response:
                answer = response.raw.read(_ANSWER_BYTES_MAX, decode_content=True)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the way there, it may be better next time
            return _no_answer(error)
        return _http_answer(response.status_code, response.headers, answer, self._signal)

    def close(self) -> None:
        self._session.close()


class _Body:
    """The bytes of a request, in one piece; says when the last of them has been handed to the network."""

    def __init__(self, data: bytes, on_sent: Callable[[], None]) -> None:
        self._data = data
        self._on_sent = on_sent

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[bytes]:
        yield self._data
        self._on_sent()


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _http_answer(status: int, headers: Mapping[str, str], body: bytes, signal: Signal) -> Answer:
    is_protobuf = headers.get("content-type", "").startswith("application/x-protobuf")
    if 200 <= status < 300:
        return delivered(body, signal) if is_protobuf else Answer("delivered")
    said = _status_message(body) if is_protobuf else body.decode("utf-8", "replace")
    message = f"HTTP {status}{': ' if said.strip() else ''}{one_line(said)}"
    if status in _RETRYABLE_STATUSES:
        return Answer("retry", message, retry_after_s=_retry_after_s(headers.get("retry-after", "")))
    return Answer("too_large" if status == _TOO_LARGE else "refused", message)


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


def _status_message(body: bytes) -> str:
    from google.rpc.status_pb2 import Status  # noqa: PLC0415 - only a refusal needs it

    try:
        return str(Status.FromString(body).message)
    except DecodeError:
        return ""


def _retry_after_s(text: str) -> float:
    """Return the seconds of a Retry-After header, which gives a number or a date; 0 when it is neither."""
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def _no_answer(error: BaseException) -> Answer:
    """Return what an attempt came to that ended in an error, by what is wrong in itself.

    The layers above have wrapped theirs around it.
    """
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    message = one_line(f"{type(error).__name__}: {error}")
    if isinstance(error, BadStatusLine) and not isinstance(error, RemoteDisconnected):
        return Answer("retry", f"{message}; {_HINT_GRPC}")  # it did answer, in another language
    return Answer("retry", with_hint(message), silence="late" if isinstance(error, TimeoutError) else "broken_off")


def with_hint(message: str) -> str:
    """Return the message, with what to look at first where nobody listens."""
    return f"{message}; {_HINT_REFUSED}" if "connection refused" in message.lower() else message


def one_line(text: str) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())[
        :_MESSAGE_LENGTH_MAX
    ]
