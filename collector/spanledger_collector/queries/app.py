"""The endpoint's HTTP side: questions in, answers out, errors as ClickHouse writes them."""

import asyncio
import contextlib
import gzip
import logging
import re
import uuid
from collections.abc import AsyncIterator
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from spanledger_collector.database import Database
from spanledger_collector.queries.access import LocalOnly
from spanledger_collector.queries.engine import Answer, Readers
from spanledger_collector.queries.errors import RefusedError, http_status
from spanledger_collector.queries.formats import content_type
from spanledger_collector.queries.request import read_question
from spanledger_collector.queries.writer import Writer

__all__ = ["build_app"]

_log = logging.getLogger(__name__)

_GZIP: Final = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
_GZIP_BYTES_MIN: Final = 1_000


def build_app(database: Database, token: str = "") -> Starlette:
    """Return the application that answers read-only SQL on an open ledger; its lifespan ends the readers.

    Whoever shows the token may also write; without a token nobody may.
    """
    readers, writer = Readers(database), Writer(database, token)

    async def query(request: Request) -> Response:
        query_id = request.query_params.get("query_id") or str(uuid.uuid4())
        try:
            if writer.is_owner(request):
                return await _response(request, await writer.answer(request), query_id)
            question = await read_question(request)
            if question is None:
                return _without_question(request)
            return await _response(request, await readers.answer(question), query_id)
        except RefusedError as error:
            _log.info("Query %s was refused: %s", query_id, error)
            return _failure(error, query_id)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await asyncio.to_thread(readers.close)
            await asyncio.to_thread(writer.close)

    routes = [Route("/", query, methods=["GET", "POST"]), Route("/ping", _ping), Route("/replicas_status", _ping)]
    return Starlette(routes=routes, middleware=[Middleware(LocalOnly)], lifespan=lifespan)


async def _ping(request: Request) -> Response:  # noqa: ARG001 - the framework's signature
    return PlainTextResponse("Ok.\n")


def _without_question(request: Request) -> Response:
    if request.method == "POST":
        raise RefusedError(
            62, "SYNTAX_ERROR", "Syntax error: the query is empty; send SQL in the body or as the parameter query."
        )
    return PlainTextResponse("Ok.\n")


async def _response(request: Request, answer: Answer, query_id: str) -> Response:
    headers = {
        "Content-Type": content_type(answer.format),
        "X-ClickHouse-Format": answer.format,
        "X-ClickHouse-Timezone": answer.timezone,
        "X-ClickHouse-Server-Display-Name": "spanledger",
        "X-ClickHouse-Query-Id": _header_safe(query_id),
        "Vary": "Accept-Encoding",
    }
    body = answer.body
    if len(body) >= _GZIP_BYTES_MIN and _GZIP.search(request.headers.get("accept-encoding", "")):
        body = await asyncio.to_thread(gzip.compress, body, 1)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers)


def _failure(error: RefusedError, query_id: str) -> Response:
    headers = {"X-ClickHouse-Exception-Code": str(error.code), "X-ClickHouse-Query-Id": _header_safe(query_id)}
    return PlainTextResponse(error.text, http_status(error.code), headers)


def _header_safe(text: str) -> str:
    return re.sub(r"[^\x21-\x7e]", "?", text)[:100]
