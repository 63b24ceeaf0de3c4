"""OTLP over HTTP: one attempt, and what the server said to it."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import BadStatusLine, RemoteDisconnected
from typing import TYPE_CHECKING, Any, Final

import requests
from google.protobuf.message import DecodeError

from spanledger.attributes import VERSION
from spanledger.otlp import Answer, delivered, one_line, with_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from spanledger.otlp import Limits, Signal
    from spanledger.settings import Settings

__all__ = ["HttpSender"]

_RETRYABLE_STATUSES: Final = frozenset({408, 429, 502, 503, 504})
_TOO_LARGE: Final = 413
_HINT_GRPC: Final = "this looks like a gRPC port; use 4318, or SPANLEDGER_OTLP_PROTOCOL=grpc"
_ANSWER_BYTES_MAX: Final = 65_536


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
