"""OTLP over gRPC; needs the extra `grpc`.

A channel does not survive a fork, but a child that opens one of its own delivers: as each worker thread does. gRPC must know
before it starts that there may be forks; one that the application has started before this module is imported does not.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "1")

import grpc
import grpc._channel  # else by the first channel, and a child that is forked meanwhile has half a module
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from spanledger.attributes import VERSION
from spanledger.otlp import Answer, delivered, one_line, with_hint

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanledger.otlp import Limits, Signal
    from spanledger.settings import Settings

__all__ = ["GrpcSender"]

_METHODS: Final = {
    "spans": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "outcomes": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
# How long gRPC's own thread goes on to watch a channel that nobody watches any more, and a little.
_WATCH_S: Final = 0.3
_RETRYABLE: Final = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)


class GrpcSender:
    """Sends bodies that are encoded already, with the settings' headers and no others."""

    def __init__(self, settings: Settings, signal: Signal) -> None:
        self._signal: Signal = signal
        self._timeout_s = settings.timeout_s
        self._metadata = [("x-spanledger-sdk-version", VERSION), *settings.headers.items()]
        self._channel = _channel(settings)
        self._watched_until = 0.0
        self._call = self._channel.unary_unary(_METHODS[signal], request_serializer=None, response_deserializer=None)

    def send(self, body: bytes, limits: Limits, on_sent: Callable[[], None]) -> Answer:
        is_connected, is_over = threading.Event(), threading.Event()

        def watch(state: grpc.ChannelConnectivity) -> None:
            # gRPC does not say more than that it is connected; the body leaves then.
            if state is grpc.ChannelConnectivity.READY and not is_over.is_set():
                is_connected.set()
                on_sent()

        self._channel.subscribe(watch)
        try:
            timeout_s = min(limits.answered_s, self._timeout_s)
            answer = self._call(body, timeout=timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            return _refusal(error, is_connected=is_connected.is_set())
        finally:
            is_over.set()
            self._channel.unsubscribe(watch)
            self._watched_until = time.monotonic() + _WATCH_S
        return delivered(answer, self._signal)

    def close(self) -> None:
        time.sleep(max(0.0, self._watched_until - time.monotonic()))  # or the thread that watches it fails, loudly
        self._channel.close()


def _channel(settings: Settings) -> Any:
    parts = urlsplit(settings.traces_url)
    compression = grpc.Compression.Gzip if settings.compression == "gzip" else None
    if parts.scheme == "http":
        return grpc.insecure_channel(parts.netloc, compression=compression)
    certificate, key = settings.client_certificate or (None, None)
    credentials = grpc.ssl_channel_credentials(_read(settings.certificate_file), _read(key), _read(certificate))
    return grpc.secure_channel(parts.netloc, credentials, compression=compression)


def _read(file: str | None) -> bytes | None:
    return Path(file).read_bytes() if file else None


def _refusal(error: Any, *, is_connected: bool) -> Answer:
    code, message = error.code(), with_hint(one_line(f"gRPC {error.code().name}: {error.details()}"))
    retry_after_s = _retry_after_s(error)
    if code in _RETRYABLE or retry_after_s is not None:
        silence: Literal["", "late"] = "late" if is_connected and code is grpc.StatusCode.DEADLINE_EXCEEDED else ""
        return Answer("retry", message, retry_after_s=retry_after_s or 0.0, silence=silence)
    # Without a time to come back, it is the message that is too large.
    return Answer("too_large" if code is grpc.StatusCode.RESOURCE_EXHAUSTED else "refused", message)


def _retry_after_s(error: Any) -> float | None:
    """Return when the server wants to be asked again; None when it does not say."""
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in Status.FromString(value).details:
            info = RetryInfo()
            if detail.Unpack(info):
                return float(info.retry_delay.ToTimedelta().total_seconds())
    return None
