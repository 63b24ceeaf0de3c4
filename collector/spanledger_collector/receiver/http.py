"""OTLP/HTTP: /v1/traces, /v1/logs and /v1/metrics, protobuf and JSON, as the OTLP specification says."""

import asyncio
import json
import logging
import zlib
from collections.abc import Awaitable, Callable
from typing import Final, cast

from google.rpc import code_pb2, status_pb2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spanledger_collector.exceptions import InputError
from spanledger_collector.queries import LocalOnly
from spanledger_collector.receiver.commit import Committer, OverloadedError
from spanledger_collector.receiver.door import Encoding, OtlpRequest, Signal
from spanledger_collector.receiver.metrics import MetricsSeen

__all__ = ["build_app"]

_log = logging.getLogger(__name__)

_BODY_BYTES_MAX: Final = 64_000_000
_ENCODINGS: Final[dict[str, Encoding]] = {"application/x-protobuf": "protobuf", "application/json": "json"}
_RETRY_AFTER_SECONDS: Final = "1"


def build_app(committer: Committer, metrics: MetricsSeen) -> Starlette:
    """Return the application; ``metrics`` counts the metric requests, which are accepted and not stored."""

    def endpoint(signal: Signal) -> Callable[[Request], Awaitable[Response]]:
        async def export(request: Request) -> Response:
            encoding = _ENCODINGS.get(request.headers.get("content-type", "").partition(";")[0].strip().lower())
            if encoding is None:
                return Response("Send OTLP as application/x-protobuf or application/json.\n", 415)
            try:
                body = await _body(request)
                if signal == "metrics":
                    metrics.count(len(body))
                else:
                    await asyncio.wrap_future(committer.submit(OtlpRequest(signal, encoding, body)))
            except InputError as error:
                return _failure(encoding, 400, code_pb2.INVALID_ARGUMENT, str(error))
            except OverloadedError as error:
                return _failure(encoding, 503, code_pb2.UNAVAILABLE, str(error))
            # An empty message: everything was accepted.
            return Response(b"{}" if encoding == "json" else b"", media_type=request.headers["content-type"])

        return export

    signals: tuple[Signal, ...] = ("traces", "logs", "metrics")
    routes = [Route(f"/v1/{signal}", endpoint(signal), methods=["POST"]) for signal in signals]
    return Starlette(routes=[*routes, Route("/health", _health)], middleware=[Middleware(LocalOnly)])


async def _health(request: Request) -> Response:  # noqa: ARG001 - the framework's signature
    return Response("ok\n", media_type="text/plain")


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _BODY_BYTES_MAX:
            raise InputError(f"The body is larger than {_BODY_BYTES_MAX} bytes; send smaller batches.")
        chunks.append(chunk)
    body = b"".join(chunks)
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        return body
    if coding in ("gzip", "deflate"):
        return await asyncio.to_thread(_inflated, body, coding)
    raise InputError(f"Content-Encoding {coding!r} is not supported; use gzip, deflate or none.")


def _inflated(body: bytes, coding: str) -> bytes:
    """Unpack a body, every member of it: gzip allows several, one after the other."""
    window = zlib.MAX_WBITS | 16 if coding == "gzip" else zlib.MAX_WBITS
    members: list[bytes] = []
    size = 0
    while body or not members:
        stream = zlib.decompressobj(window)
        try:
            members.append(stream.decompress(body, _BODY_BYTES_MAX + 1 - size))
        except zlib.error as error:
            raise InputError(f"The body is not valid {coding}: {error}.") from error
        size += len(members[-1])
        if size > _BODY_BYTES_MAX:
            raise InputError(f"The body unpacks to more than {_BODY_BYTES_MAX} bytes; send smaller batches.")
        if not stream.eof:
            raise InputError(f"The {coding} body is cut off.")
        body = stream.unused_data
    return b"".join(members)


def _failure(encoding: Encoding, http_status: int, code: int, message: str) -> Response:
    headers = {"Retry-After": _RETRY_AFTER_SECONDS} if http_status == 503 else None
    _log.warning("Refused an OTLP request with %s: %s", http_status, message)
    if encoding == "json":
        return Response(json.dumps({"code": code, "message": message}), http_status, headers, "application/json")
    status = status_pb2.Status(code=code, message=message)
    return Response(cast("bytes", status.SerializeToString()), http_status, headers, "application/x-protobuf")
