"""Sends answers in pieces, at the pace of who reads them, and holds only so many bytes of them in memory."""

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from spanledger_collector.queries.errors import RefusedError

__all__ = ["Sending"]

_PIECE_BYTES: Final = 262_144
_HELD_BYTES_MAX: Final = 1_000_000_000


class Sending:
    """The answers on their way. Used in one event loop."""

    def __init__(self) -> None:
        self._held_bytes = 0

    def admit(self) -> None:
        """Raise RefusedError while clients that read slowly hold more than a gigabyte of answers."""
        if self._held_bytes > _HELD_BYTES_MAX:
            raise RefusedError(
                202, "TOO_MANY_SIMULTANEOUS_QUERIES", "Too many answers wait to be read; read them, or try again later."
            )

    def response(self, body: bytes, headers: Sequence[tuple[str, str]]) -> Response:
        """Return a response that is sent piece by piece and counted until it is gone."""
        return _Pieces(self, body, headers)

    def hold(self, size: int) -> None:
        """Count bytes that wait to be sent; negative: that no longer do."""
        self._held_bytes += size


class _Pieces(Response):
    def __init__(self, sending: Sending, body: bytes, headers: Sequence[tuple[str, str]]) -> None:
        super().__init__(body)
        for name, value in headers:  # of one name there may be several
            self.headers.append(name, value)
        self._sending = sending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the protocol's signature
        body = memoryview(self.body)
        self._sending.hold(len(body))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            for at in range(0, len(body), _PIECE_BYTES):
                piece = bytes(body[at : at + _PIECE_BYTES])
                await send({"type": "http.response.body", "body": piece, "more_body": at + _PIECE_BYTES < len(body)})
            if not body:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._sending.hold(-len(body))
