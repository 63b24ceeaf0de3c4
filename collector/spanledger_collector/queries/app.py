"""The endpoint's HTTP side: questions in, answers out, errors as ClickHouse writes them."""

import asyncio
import contextlib
import logging
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from spanledger_collector.database import Database
from spanledger_collector.queries.access import LocalOnly
from spanledger_collector.queries.coding import best_coding, framed, packed
from spanledger_collector.queries.engine import Answer, Readers
from spanledger_collector.queries.errors import RefusedError, http_status
from spanledger_collector.queries.formats import content_type
from spanledger_collector.queries.insertion import split_insert
from spanledger_collector.queries.progress import headers_of
from spanledger_collector.queries.request import is_on, read_body, read_question
from spanledger_collector.queries.sending import Sending
from spanledger_collector.queries.settings import QUERY_BYTES_MAX
from spanledger_collector.queries.users import Users
from spanledger_collector.queries.writer import WRITTEN_BYTES_MAX, Writer

__all__ = ["build_app"]

_log = logging.getLogger(__name__)

_PACKED_BYTES_MIN: Final = 1_000
_RETRY_AFTER_SECONDS: Final = "1"
_BODY_SECONDS_MAX: Final = 60.0
_FIRST_PAGE: Final = "/overview"


def _nothing() -> None:
    """Admits everything, and tells nobody."""


def build_app(
    database: Database,
    users: Users | None = None,
    *,
    on_commit: Callable[[], None] = _nothing,
    admit: Callable[[], None] = _nothing,
    routes: Sequence[BaseRoute] = (),
    page: Callable[[Readers, Users], Sequence[BaseRoute]] | None = None,
) -> Starlette:
    """Return the application that answers SQL on an open ledger; its lifespan ends the readers and the writer.

    ``users`` says who may ask and write (None: everybody may read); ``admit`` raises while nothing can be written; ``on_commit`` hears
    of what was; ``routes`` are served beside it. ``page`` makes the routes of the page for browsers, which are led there.
    """
    readers, writer, sending = Readers(database), Writer(database, on_commit, admit), Sending()
    who = users or Users()

    async def answered(request: Request) -> Answer | None:
        user = who.of(request)
        async with _within(_BODY_SECONDS_MAX):
            body = await read_body(request, QUERY_BYTES_MAX if user.role == "reader" else WRITTEN_BYTES_MAX)
        sending.admit()
        fields = request.query_params
        if user.role != "reader" and (parts := split_insert(fields.get("query", ""), body)):
            return await writer.insert(user, *parts, fields.get("database", ""))
        question = await read_question(request, body, user.tenant)
        if question is None:
            return None
        return await (writer.execute(question) if user.role == "owner" else readers.answer(question))

    async def query(request: Request) -> Response:
        if page and _is_browser(request):
            return RedirectResponse(_FIRST_PAGE)
        query_id, started = request.query_params.get("query_id") or str(uuid.uuid4()), time.perf_counter_ns()
        try:
            answer = await answered(request)
            if answer is None:
                return _without_question(request)
            return sending.response(*await _response(request, answer, query_id, time.perf_counter_ns() - started))
        except RefusedError as error:
            _log.info("Query %s was refused: %s", query_id, error)
            return _failure(error, query_id)

    own = [Route("/", query, methods=["GET", "POST"]), Route("/ping", _ping), Route("/replicas_status", _ping)]
    shown = page(readers, who) if page else ()
    return Starlette(
        routes=[*own, *shown, *routes],
        middleware=[Middleware(LocalOnly)],
        lifespan=_ending(readers.close, writer.close),
    )


def _ending(*closes: Callable[[], None]) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    """Return a lifespan that closes what the application opened."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            for close in closes:
                await asyncio.to_thread(close)

    return lifespan


@contextlib.asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise RefusedError(
            159, "TIMEOUT_EXCEEDED", f"The query did not arrive within {seconds:.0f} seconds."
        ) from error


def _is_browser(request: Request) -> bool:
    """Whether somebody typed the address of the endpoint into a browser."""
    return request.method == "GET" and not request.url.query and "text/html" in request.headers.get("accept", "")


async def _ping(request: Request) -> Response:  # noqa: ARG001 - the framework's signature
    return PlainTextResponse("Ok.\n")


def _without_question(request: Request) -> Response:
    if request.method == "POST":
        raise RefusedError(
            62, "SYNTAX_ERROR", "Syntax error: the query is empty; send SQL in the body or as the parameter query."
        )
    return PlainTextResponse("Ok.\n")


async def _response(
    request: Request, answer: Answer, query_id: str, elapsed_ns: int
) -> tuple[bytes, list[tuple[str, str]]]:
    counts = {"result_bytes": len(answer.body), "elapsed_ns": elapsed_ns}
    if answer.rows_written:
        counts["written_rows"] = answer.rows_written
    headers = {
        "Content-Type": content_type(answer.format),
        "X-ClickHouse-Format": answer.format,
        "X-ClickHouse-Timezone": answer.timezone,
        "X-ClickHouse-Server-Display-Name": "spanledger",
        "X-ClickHouse-Query-Id": _header_safe(query_id),
        "Vary": "Accept-Encoding",
    }
    body, fields = answer.body, request.query_params
    coding = best_coding(request.headers.get("accept-encoding", ""))
    if is_on(fields, "compress"):
        body = await asyncio.to_thread(framed, body, fields.get("network_compression_method", "LZ4").upper())
    elif coding and len(body) >= _PACKED_BYTES_MIN:
        body = await asyncio.to_thread(packed, body, coding)
        headers["Content-Encoding"] = coding
    told = headers_of(answer.progress, counts, each=is_on(fields, "send_progress_in_http_headers"))
    return body, [*headers.items(), *told]


def _failure(error: RefusedError, query_id: str) -> Response:
    status = http_status(error.code)
    headers = {"X-ClickHouse-Exception-Code": str(error.code), "X-ClickHouse-Query-Id": _header_safe(query_id)}
    if status == 503:
        headers["Retry-After"] = _RETRY_AFTER_SECONDS
    return PlainTextResponse(error.text, status, headers)


def _header_safe(text: str) -> str:
    return re.sub(r"[^\x21-\x7e]", "?", text)[:100]
