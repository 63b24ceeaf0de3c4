"""OTLP/gRPC: the Export methods of the trace, logs and metrics services, on raw bytes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from spanledger_collector.receiver.door import Signal
from spanledger_collector.receiver.http import TENANT_HEADER, partial_success
from spanledger_collector.receiver.receiver import (
    BODY_BYTES_MAX,
    RETRY_SECONDS,
    SERVICES,
    Body,
    Receiver,
    Refusal,
    refusal_of,
)

__all__ = ["build_server"]

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", BODY_BYTES_MAX),  # as it comes, and unpacked
    ("grpc.max_metadata_size", 16_384),
    ("grpc.so_reuseport", 0),
    ("grpc.max_concurrent_streams", 100),
    # A client that sends slowly holds a connection no longer than this.
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.max_connection_age_ms", 600_000),
    ("grpc.max_connection_age_grace_ms", 60_000),
    ("grpc.max_connection_idle_ms", 600_000),
)
_MESSAGE_SECONDS_MAX: Final = 60.0
_TOO_SLOW: Final = Refusal(408, code_pb2.DEADLINE_EXCEEDED, again=True, message="The message did not arrive in time.")
_NO_MESSAGE: Final = Refusal(400, code_pb2.INVALID_ARGUMENT, again=False, message="There was no message.")
_METHODS: Final = {f"/{service}/Export": signal for signal, service in SERVICES.items()}
_STATUS_CODES: Final = {status.value[0]: status for status in grpc.StatusCode}


def build_server(receiver: Receiver) -> Any:
    """Return a gRPC server (grpc.aio) without ports; messages stay bytes, ClickHouse reads them."""
    server = grpc.aio.server(options=_OPTIONS)
    server.add_generic_rpc_handlers((_Handlers(receiver),))
    return server


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Finds who sends before the message is read."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def service(self, handler_call_details: Any) -> Any:
        signal = _METHODS.get(handler_call_details.method)
        if signal is None:
            return None
        headers = {name: value for name, value in handler_call_details.invocation_metadata if isinstance(value, str)}
        try:
            sender = self._receiver.credentials.sender(headers.get("authorization", ""), headers.get(TENANT_HEADER, ""))
        except Exception as error:  # noqa: BLE001 - as below
            return grpc.stream_unary_rpc_method_handler(_refuse(refusal_of(error)))
        return grpc.stream_unary_rpc_method_handler(_export(self._receiver, signal, sender.tenant))


def _export(receiver: Receiver, signal: Signal, tenant: str) -> Callable[[Any, Any], Awaitable[bytes]]:
    """Return what takes one message: as a stream of one, because only so a message that does not come can be given up."""

    async def export(messages: Any, context: Any) -> bytes:
        try:
            async with asyncio.timeout(_MESSAGE_SECONDS_MAX):
                body = await anext(messages)
        except TimeoutError:
            await _abort(context, _TOO_SLOW)
        except StopAsyncIteration:
            await _abort(context, _NO_MESSAGE)
        try:
            return partial_success(await receiver.take(Body(signal, "protobuf", tenant, body)))
        except Exception as error:  # noqa: BLE001 - whatever happened, a sender must know whether to send again
            await _abort(context, refusal_of(error))

    return export


def _refuse(refusal: Refusal) -> Callable[[Any, Any], Awaitable[bytes]]:
    async def refuse(_: Any, context: Any) -> bytes:
        await _abort(context, refusal)

    return refuse


async def _abort(context: Any, refusal: Refusal) -> NoReturn:
    """Answer with a refusal; only with RetryInfo does a sender send again what exhausted a resource."""
    trailers: tuple[tuple[str, bytes], ...] = ()
    if refusal.again:
        detail = AnyMessage()
        detail.Pack(RetryInfo(retry_delay={"seconds": RETRY_SECONDS}))
        status = Status(code=refusal.code, message=refusal.message, details=[detail])
        trailers = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(_STATUS_CODES[refusal.code], refusal.message, trailers)
    raise AssertionError(refusal)  # abort never returns
