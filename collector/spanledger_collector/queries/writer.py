"""Runs any statement for the owner of the store, who shows the token that `spanledger up` wrote beside it (serving.json, mode 0600).

That is how commands write to a ledger that another process serves: they connect with the token and go on as on a server. Nobody else
knows the token, and the endpoint listens on loopback only; without it every statement passes the gate and is read only.
"""

import asyncio
import hmac
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from starlette.requests import Request

from spanledger_collector.database import Database
from spanledger_collector.queries.engine import Answer, Question
from spanledger_collector.queries.errors import RefusedError, of_engine
from spanledger_collector.queries.formats import native_header
from spanledger_collector.queries.request import read_body, read_question

__all__ = ["Writer"]

_BODY_BYTES_MAX: Final = 512_000_000
_INSERT: Final = re.compile(
    rb"\s*insert\s+into\s+(?P<table>[\w.`]+)\s*\((?P<columns>[^()]*)\)\s*format\s+(?P<format>\w+)\s*\n", re.IGNORECASE
)
_FORMAT: Final = re.compile(r"\s+format\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
_ANSWERS: Final = re.compile(r"\s*(--[^\n]*\n\s*)*(select|with|show|describe|desc|exists|explain)\b", re.IGNORECASE)


class Writer:
    """One thread with a connection of its own, for the owner's statements, one after the other."""

    def __init__(self, database: Database, token: str) -> None:
        self._database = database
        self._token = token
        self._pool = ThreadPoolExecutor(1, "write")
        self._connection: Client | None = None

    def is_owner(self, request: Request) -> bool:
        """Tell whether the request shows the token; RefusedError when it shows another."""
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not self._token:
            return False
        if not hmac.compare_digest(shown.encode(), self._token.encode()):
            raise RefusedError(516, "AUTHENTICATION_FAILED", "The token is not that of this store.")
        return True

    async def answer(self, request: Request) -> Answer:
        """Run the statement of a request; RefusedError if it fails."""
        body = await read_body(request, _BODY_BYTES_MAX)
        head = request.query_params.get("query", "").encode()
        whole = (head + b"\n" + body if head else body) if body else head
        if insert := _INSERT.match(whole):
            return await self._run(partial(self._insert, insert, whole))
        question = await read_question(request, body)
        if question is None:
            raise RefusedError(62, "SYNTAX_ERROR", "Syntax error: the query is empty.")
        return await self._run(partial(self._execute, question))

    def close(self) -> None:
        """Wait for the statement under way, then close the connection."""
        self._pool.shutdown(cancel_futures=True)
        if self._connection:
            self._connection.close()

    async def _run(self, step: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._guarded, step)

    def _guarded(self, step: Callable[[], Answer]) -> Answer:
        try:
            return step()
        except DatabaseError as error:
            raise of_engine(error) from error

    def _client(self) -> Client:
        self._connection = self._connection or self._database.client()
        return self._connection

    def _insert(self, insert: re.Match[bytes], whole: bytes) -> Answer:
        client = self._client()
        columns = [name.strip().strip("`") for name in insert["columns"].decode().split(",")]
        table = insert["table"].decode().replace("`", "")
        client.raw_insert(table, columns, whole[insert.end() :], fmt=insert["format"].decode())
        return Answer(b"", "TabSeparated", str(client.server_tz))

    def _execute(self, question: Question) -> Answer:
        client = self._client()
        parameters = dict(question.parameters)
        timezone = str(client.server_tz)
        if not _ANSWERS.match(question.text):
            client.raw_query(question.text, parameters)
            return Answer(b"", "TabSeparated", timezone)
        clause = _FORMAT.search(question.text)
        form = clause[1] if clause else question.format
        text = question.text[: clause.start()] if clause else question.text
        body = client.raw_query(text, parameters, fmt=form)
        if not body and form == "Native":
            described = client.raw_query(text, parameters, fmt="JSONCompactEachRowWithNamesAndTypes")
            body = native_header(described) if described else body
        return Answer(body, form, timezone)
