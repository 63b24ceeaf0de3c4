"""OTLP/gRPC: the Export methods of the trace, logs and metrics services, on raw bytes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc

from spanledger_collector.exceptions import InputError
from spanledger_collector.receiver.commit import Committer, OverloadedError
from spanledger_collector.receiver.door import OtlpRequest, Signal
from spanledger_collector.receiver.metrics import MetricsSeen

__all__ = ["build_server"]

_MESSAGE_BYTES_MAX: Final = 64_000_000
_SERVICES: Final[dict[str, Signal]] = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "traces",
    "opentelemetry.proto.collector.logs.v1.LogsService": "logs",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "metrics",
}


def build_server(committer: Committer, metrics: MetricsSeen) -> Any:
    """Return a gRPC server (grpc.aio) without ports; messages stay bytes, ClickHouse reads them."""
    server = grpc.aio.server(
        options=[("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX), ("grpc.so_reuseport", 0)],
    )
    for service, signal in _SERVICES.items():
        method = grpc.unary_unary_rpc_method_handler(_export(signal, committer, metrics))
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": method}),))
    return server


def _export(signal: Signal, committer: Committer, metrics: MetricsSeen) -> Callable[[bytes, Any], Awaitable[bytes]]:
    async def export(body: bytes, context: Any) -> bytes:
        try:
            if signal == "metrics":
                metrics.count(len(body))
            else:
                await asyncio.wrap_future(committer.submit(OtlpRequest(signal, "protobuf", body)))
        except InputError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except OverloadedError as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        return b""  # an empty Export...ServiceResponse: everything was accepted

    return export
