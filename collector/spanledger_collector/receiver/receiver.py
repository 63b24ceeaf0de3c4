"""What HTTP and gRPC share: who may send, what becomes of a body, and what each refusal is called in both protocols."""

import asyncio
import logging
from concurrent.futures import Future
from typing import Final, NamedTuple

from google.rpc import code_pb2

from spanledger_collector.exceptions import InputError, SpanledgerError
from spanledger_collector.quarantine import Rejected
from spanledger_collector.receiver.commit import Committer, OverloadedError, UnavailableError
from spanledger_collector.receiver.credentials import Credentials, UnauthenticatedError
from spanledger_collector.receiver.door import Encoding, OtlpRequest, Signal
from spanledger_collector.receiver.metrics import MetricsSeen
from spanledger_collector.unpacking import TooLargeError, unpacked

__all__ = ["BODY_BYTES_MAX", "RETRY_SECONDS", "SERVICES", "Body", "Receiver", "Refusal", "refusal_of"]

_log = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 64_000_000
RETRY_SECONDS: Final = 1
SERVICES: Final[dict[Signal, str]] = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
}
_QUICK_BYTES: Final = 64_000


class Body(NamedTuple):
    """A body as it came: of which signal, in which encoding, whose (empty: it says it itself), and how it is packed."""

    signal: Signal
    encoding: Encoding
    tenant: str
    data: bytes
    coding: str = ""


class Refusal(NamedTuple):
    """What a refusal is called: the status of HTTP, the code of gRPC, and whether the sender should send again."""

    http_status: int
    code: int
    again: bool
    message: str


class Receiver:
    """Takes bodies from any number of connections."""

    def __init__(self, committer: Committer, metrics: MetricsSeen, credentials: Credentials) -> None:
        self._committer = committer
        self._metrics = metrics
        self.credentials = credentials

    async def take(self, body: Body) -> Rejected:
        """Return what was kept aside of a body, after the rest of it is stored; raises SpanledgerError (see ``refusal_of``)."""
        if len(body.data) <= _QUICK_BYTES and not body.coding:
            return await asyncio.wrap_future(self._submitted(body))
        # To unpack and check it would hold up all others.
        return await asyncio.wrap_future(await asyncio.to_thread(self._submitted, body))

    def _submitted(self, body: Body) -> "Future[Rejected]":
        if body.signal == "metrics":
            self._metrics.count(len(body.data))
            ignored: Future[Rejected] = Future()
            ignored.set_result(Rejected())
            return ignored
        try:
            data = unpacked(body.data, body.coding, BODY_BYTES_MAX)
        except InputError as error:
            packed = OtlpRequest(body.signal, body.encoding, body.data, body.tenant)
            return self._committer.refuse(packed, error, body.coding)
        return self._committer.submit(OtlpRequest(body.signal, body.encoding, data, body.tenant))


def refusal_of(error: Exception) -> Refusal:
    """Return what an error is called towards the sender; one that is not ours is logged, and the sender told to try again."""
    message = str(error)
    if not isinstance(error, SpanledgerError):
        _log.error("A request failed; its sender was told to send it again.", exc_info=error)
        message = "The collector failed; send again later."
    elif isinstance(error, UnauthenticatedError):
        return Refusal(401, code_pb2.UNAUTHENTICATED, again=False, message=message)
    elif isinstance(error, TooLargeError):
        return Refusal(413, code_pb2.INVALID_ARGUMENT, again=False, message=message)
    elif isinstance(error, InputError):
        return Refusal(400, code_pb2.INVALID_ARGUMENT, again=False, message=message)
    elif isinstance(error, OverloadedError) and not isinstance(error, UnavailableError):
        return Refusal(429, code_pb2.RESOURCE_EXHAUSTED, again=True, message=message)
    return Refusal(503, code_pb2.UNAVAILABLE, again=True, message=message)
