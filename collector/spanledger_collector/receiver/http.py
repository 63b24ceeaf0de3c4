"""OTLP/HTTP: /v1/traces, /v1/logs and /v1/metrics, protobuf and JSON, as the OTLP specification says."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Final, cast
from urllib.parse import urlsplit

from google.rpc import status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from spanledger_collector.quarantine import Rejected
from spanledger_collector.queries import LocalOnly
from spanledger_collector.receiver.commit import OverloadedError
from spanledger_collector.receiver.door import Encoding, Signal
from spanledger_collector.receiver.receiver import BODY_BYTES_MAX, RETRY_SECONDS, Body, Receiver, refusal_of
from spanledger_collector.unpacking import TooLargeError

__all__ = ["TENANT_HEADER", "Reading", "build_app", "partial_success"]

_log = logging.getLogger(__name__)

TENANT_HEADER: Final = "spanledger-tenant"
_HEADER_BYTES_MAX: Final = 16_384
_READING_BYTES_MAX: Final = 256_000_000
_ENCODINGS: Final[dict[str, Encoding]] = {"application/x-protobuf": "protobuf", "application/json": "json"}
_MEDIA_TYPES: Final = {encoding: name for name, encoding in _ENCODINGS.items()}
_REJECTED: Final = {"traces": "rejectedSpans", "logs": "rejectedLogRecords"}


def build_app(receiver: Receiver, *, local: bool = True) -> Starlette:
    """Return the application.

    ``local``: only this machine's own programs come in, by its own names; otherwise tokens decide, and pages of other origins stay out.
    """
    reading = Reading()

    def endpoint(signal: Signal) -> Callable[[Request], Awaitable[Response]]:
        async def export(request: Request) -> Response:
            encoding = _encoding(request) or "json"
            if reason := _turned_away(request, local=local):
                return reason
            try:
                shown = request.headers.get("authorization", ""), request.headers.get(TENANT_HEADER, "")
                sender = receiver.credentials.sender(*shown)
                coding = request.headers.get("content-encoding", "identity").strip().lower()
                body = await reading.body(request)
                rejected = await receiver.take(
                    Body(signal, encoding, sender.tenant, body, "" if coding == "identity" else coding)
                )
            except TimeoutError:
                return PlainTextResponse("The body did not come in time.\n", 408, {"Connection": "close"})
            except ClientDisconnect:
                return PlainTextResponse("The sender left.\n", 400)  # nobody reads it
            except Exception as error:  # noqa: BLE001 - whatever happened, a sender must know whether to send again
                return _failure(encoding, error)
            return _success(signal, encoding, rejected)

        return export

    signals: tuple[Signal, ...] = ("traces", "logs", "metrics")
    routes = [Route(f"/v1/{signal}", endpoint(signal), methods=["POST"]) for signal in signals]
    middleware = [Middleware(LocalOnly)] if local else []
    return Starlette(routes=[*routes, Route("/health", _health)], middleware=middleware)


async def _health(request: Request) -> Response:  # noqa: ARG001 - the framework's signature
    return PlainTextResponse("ok\n")


class Reading:
    """Reads bodies, each up to a size and a time, all together up to a size."""

    seconds_max: float = 60.0

    def __init__(self) -> None:
        self._bytes = 0

    async def body(self, request: Request) -> bytes:
        """Return a body; raises TooLargeError, OverloadedError, and TimeoutError when it comes too slowly."""
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > BODY_BYTES_MAX:
            raise _too_large()
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.seconds_max):
                async for chunk in request.stream():
                    size += len(chunk)
                    self._bytes += len(chunk)
                    if size > BODY_BYTES_MAX:
                        raise _too_large()
                    if self._bytes > _READING_BYTES_MAX:
                        raise OverloadedError("Too many large requests come at once; send again later.")
                    chunks.append(chunk)
        finally:
            self._bytes -= size
        return b"".join(chunks)


def _too_large() -> TooLargeError:
    return TooLargeError(f"The body is larger than {BODY_BYTES_MAX} bytes; send smaller batches.")


def _turned_away(request: Request, *, local: bool) -> Response | None:
    """Return the answer to a request that is none of OTLP, or of a web page from elsewhere."""
    if sum(len(name) + len(value) for name, value in request.headers.raw) > _HEADER_BYTES_MAX:
        return PlainTextResponse(f"The headers are larger than {_HEADER_BYTES_MAX} bytes.\n", 431)
    origin = request.headers.get("origin")
    if not local and origin and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        return PlainTextResponse("Web pages of other origins may not send here.\n", 403)
    if _encoding(request) is None:
        return PlainTextResponse("Send OTLP as application/x-protobuf or application/json.\n", 415)
    return None


def _encoding(request: Request) -> Encoding | None:
    return _ENCODINGS.get(request.headers.get("content-type", "").partition(";")[0].strip().lower())


def partial_success(rejected: Rejected) -> bytes:
    """Return an Export...ServiceResponse, for traces and logs alike: empty where everything was stored."""
    if not rejected.count:
        return b""
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = rejected.count
    response.partial_success.error_message = rejected.reason
    return cast("bytes", response.SerializeToString())


def _success(signal: Signal, encoding: Encoding, rejected: Rejected) -> Response:
    if encoding == "protobuf":
        return Response(partial_success(rejected), media_type=_MEDIA_TYPES[encoding])
    told = {_REJECTED[signal]: str(rejected.count), "errorMessage": rejected.reason} if rejected.count else {}
    return Response(json.dumps({"partialSuccess": told} if told else {}), media_type=_MEDIA_TYPES[encoding])


def _failure(encoding: Encoding, error: Exception) -> Response:
    refusal = refusal_of(error)
    _log.warning("Refused an OTLP request with %s: %s", refusal.http_status, refusal.message)
    headers = {"Retry-After": str(RETRY_SECONDS)} if refusal.again else {}
    if refusal.http_status == 401:
        headers = {"WWW-Authenticate": "Bearer"}
    if encoding == "json":
        text = json.dumps({"code": refusal.code, "message": refusal.message})
        return Response(text, refusal.http_status, headers, _MEDIA_TYPES[encoding])
    status = status_pb2.Status(code=refusal.code, message=refusal.message)
    return Response(
        cast("bytes", status.SerializeToString()), refusal.http_status, headers, media_type=_MEDIA_TYPES[encoding]
    )
