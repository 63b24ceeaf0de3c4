"""A ledger endpoint that speaks gRPC."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)


class GrpcLedger(TraceServiceServicer):
    """Context manager: keeps what came, with its metadata; `refusals` are raised first, one a request."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, Any], Any]] = []
        self.refusals: list[tuple[grpc.StatusCode, str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self._server = grpc.server(ThreadPoolExecutor(2))
        add_TraceServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call] # generated code
        self.url = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()

    def Export(self, request: Any, context: Any) -> ExportTraceServiceResponse:  # noqa: N802 - the service's name
        self.gate.wait(20)
        if self.refusals:
            context.abort(*self.refusals.pop(0))
        self.received.append((dict(context.invocation_metadata()), request))
        return ExportTraceServiceResponse()

    @property
    def span_ids(self) -> list[bytes]:
        return [
            span.span_id
            for _, request in self.received
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
